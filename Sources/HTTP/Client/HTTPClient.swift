import EventLoop

/// A small HTTP/1.1 client on an event loop: plain `http`, one connection a request, no redirections. Several requests
/// may be under way at once.
///
/// `@unchecked Sendable`: it holds nothing that changes, and `send` checks that it runs on the loop.
public final class HTTPClient: @unchecked Sendable {
    private let loop: EventLoop
    private let limits: ClientLimits

    public init(loop: EventLoop, limits: ClientLimits = ClientLimits()) {
        self.loop = loop
        self.limits = limits
    }

    /// Sends a request and waits for its answer, whatever its status. Addresses of a host are tried in turn until one
    /// takes the connection; the request itself is sent once.
    /// - Throws: `notSent` or `outcomeUnknown`, at the deadline at the latest.
    public func send(
        _ request: ClientRequest, deadline: MonotonicTime
    ) async throws(ClientError) -> ClientResponse {
        loop.preconditionCurrent()
        let result = await withUnsafeContinuation { continuation in
            let exchange = Exchange(loop: loop, limits: limits, request: request) {
                continuation.resume(returning: $0)
            }
            exchange.start(deadline: deadline)
        }
        return try result.get()
    }
}

/// One request and its answer; the timer of its deadline keeps it alive until it ends.
///
/// `@unchecked Sendable`: belongs to the loop's thread, on which the resolver calls back too.
private final class Exchange: @unchecked Sendable {
    private let loop: EventLoop
    private let request: ClientRequest
    private var parser: ResponseParser
    private var connection: OutgoingConnection?
    private var timer: ScheduledTimer?
    private var completion: ((Result<ClientResponse, ClientError>) -> Void)?

    init(
        loop: EventLoop, limits: ClientLimits, request: ClientRequest,
        completion: @escaping (Result<ClientResponse, ClientError>) -> Void
    ) {
        self.loop = loop
        self.request = request
        self.completion = completion
        parser = ResponseParser(answering: request.method, limits: limits)
    }

    func start(deadline: MonotonicTime) {
        guard deadline > .now() else { return fail("its deadline has passed") }
        timer = loop.schedule(at: deadline) { self.fail("no answer before the deadline") }
        // A resolution that ends later than the deadline finds the exchange over, or gone.
        Resolver.resolve(request.url.host, on: loop) { [weak self] result in
            guard let self, completion != nil else { return }
            switch result {
            case .success(let addresses): open(addresses[...], lastFailure: "no address to connect to")
            case .failure(let failure): fail("cannot resolve \(request.url.host): \(failure.reason)")
            }
        }
    }

    private func open(_ addresses: ArraySlice<String>, lastFailure: String) {
        guard let first = addresses.first, let address = SocketAddress(host: first, port: request.url.port) else {
            return fail(lastFailure)
        }
        let connection = OutgoingConnection(loop: loop)
        self.connection = connection
        var isConnected = false
        connection.onConnect = { [unowned self, unowned connection] in
            isConnected = true
            connection.send(request.encoded)
        }
        connection.onInput = { [unowned self] in take($0) }
        connection.onClose = { [unowned self] reason in
            guard isConnected else {
                return open(addresses.dropFirst(), lastFailure: reason ?? "the connection was closed")
            }
            end(reason)
        }
        connection.connect(to: address)
    }

    private func take(_ bytes: UnsafeBufferPointer<UInt8>) {
        do throws(ResponseParser.Malformed) {
            guard let response = try parser.take(bytes) else { return }
            complete(.success(response))
        } catch {
            fail("the answer cannot be used: \(error.reason)")
        }
    }

    private func end(_ reason: String?) {
        if let reason { return fail(reason) }
        do throws(ResponseParser.Malformed) {
            complete(.success(try parser.takeEnd()))
        } catch {
            fail(error.reason)
        }
    }

    private func fail(_ reason: String) {
        let mayHaveArrived = connection?.hasSent == true
        complete(.failure(mayHaveArrived ? .outcomeUnknown(reason) : .notSent(reason)))
    }

    private func complete(_ result: Result<ClientResponse, ClientError>) {
        guard let completion else { return }
        self.completion = nil
        timer?.cancel()
        connection?.close()
        completion(result)
    }
}
