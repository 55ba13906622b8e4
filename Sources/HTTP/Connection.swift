import EventLoop
import Glibc

/// One client's connection: reads requests, has them answered in order, one under way at a time.
///
/// `@unchecked Sendable`: belongs to its server's loop; the tasks that come back to it prefer that loop, and `finish`
/// checks that they do.
final class Connection: DescriptorHandler, @unchecked Sendable {
    enum Phase {
        /// Between messages.
        case idle
        case readingHead
        case readingBody
        /// A handler's task is under way.
        case handling
        /// An answer's body is being written piece by piece.
        case streaming
        /// The connection is a WebSocket's.
        case upgraded
        /// The last answer is on its way; no more requests are read.
        case closing
        /// The last answer has been written. Input is dropped until the client closes.
        case lingering
        case closed
    }

    /// Messages of one client that are taken at once: however many it pipelines, others have their turn in between.
    private static let messagesAtOnce = 16

    let server: Server
    let descriptor: Int32
    let peer: IPAddress?
    /// The connection's place among its server's, kept by the server.
    var index: Int
    var registration: Registration!
    private(set) var phase = Phase.idle
    /// When the phase ends by itself.
    var deadline: MonotonicTime

    var parser: RequestParser
    /// Input that has been read before its turn, from `leftoverStart` on.
    private var leftover: [UInt8] = []
    private var leftoverStart = 0
    /// Waits for its turn with more input of its own.
    private var isYielding = false
    /// The client has sent all it will send.
    private(set) var isInputClosed = false
    private var hasReceived = false
    var headArrived = MonotonicTime(nanoseconds: 0)
    /// What a handler is at.
    var current: Request?
    /// The answer whose body is being written, if one is.
    var stream: StreamedAnswer?
    /// The WebSocket that the connection has become, if it has.
    var socket: WebSocket?
    /// What the answer that the client has not taken yet holds.
    var hold: AnswerHold?

    /// What the client has not taken yet, from `outputStart` on.
    var output: [UInt8] = []
    var outputStart = 0
    var writeDeadline = MonotonicTime(nanoseconds: 0)
    private var lingeredBytes = 0
    /// What `bodyBudget` has of it.
    private var countedBody = 0

    init(server: Server, descriptor: Int32, peer: IPAddress?, index: Int) throws {
        self.server = server
        self.descriptor = descriptor
        self.peer = peer
        self.index = index
        parser = RequestParser(limits: server.configuration.limits)
        deadline = server.loop.now.advanced(byMilliseconds: server.configuration.idleTimeoutMilliseconds)
        registration = try server.loop.register(descriptor, interest: .readable, handler: self)
    }

    // MARK: Events

    func ready(_ readiness: Readiness) {
        server.loop.preconditionCurrent()
        if phase == .lingering {
            dropInput()
            return
        }
        // Both directions are shut or the connection was reset: nobody is left to read an answer.
        if readiness.contains(.closed) {
            close()
            return
        }
        if readiness.contains(.writable) { continueWriting() }
        if readiness.contains(.readable), phase != .closed, phase != .lingering { readInput() }
    }

    private func readInput() {
        let count = recv(descriptor, server.readBuffer.baseAddress, server.readBuffer.count, 0)
        if count > 0 {
            hasReceived = true
            let input = UnsafeBufferPointer(start: server.readBuffer.baseAddress, count: count)
            if phase == .upgraded {
                socket?.take(input)
                return conclude()
            }
            var position = 0
            parse(input, &position)
            countBody()
            if position < count, phase != .closing, phase != .closed {
                // At most one read's worth: no more is read until this has been used up.
                leftover.append(contentsOf: UnsafeBufferPointer(rebasing: input[position...]))
            }
            conclude()
        } else if count == 0 {
            isInputClosed = true
            // Whoever leaves without a word is gone.
            if phase == .upgraded { return close() }
            conclude()
        } else if errno != EAGAIN && errno != EINTR {
            close()
        }
    }

    /// Goes on with what was read before its turn, once the answer before it is out, or others have had theirs.
    func resume() {
        if phase == .upgraded, !leftover.isEmpty {
            let taken = leftover[leftoverStart...]
            leftover = []
            leftoverStart = 0
            taken.withUnsafeBufferPointer { socket?.take($0) }
        }
        if !isBusy, !leftover.isEmpty {
            let taken = leftover
            var position = leftoverStart
            taken.withUnsafeBufferPointer { parse($0, &position) }
            countBody()
            if position == taken.count || phase == .closing || phase == .closed {
                leftover = []
                leftoverStart = 0
            } else {
                leftoverStart = position
            }
        }
        conclude()
    }

    /// Whether the next request must wait: for the answer to the one before it, or for the client to read.
    private var isBusy: Bool {
        switch phase {
        case .idle, .readingHead, .readingBody: !output.isEmpty
        default: true
        }
    }

    // MARK: Requests

    /// Takes messages from `position` on, until one of them must be waited for or the client has had its turn: the first
    /// message in any case, and those behind it while the server has time for such.
    private func parse(_ input: UnsafeBufferPointer<UInt8>, _ position: inout Int) {
        var messages = 0
        while !isBusy, position < input.count,
            messages == 0 || messages < Self.messagesAtOnce && server.pipelinedAllowance > 0
        {
            switch parser.advance(input, at: &position) {
            case .needMore:
                break
            case .head:
                headArrived = server.loop.now
                // A client that has begun to send the body no longer waits.
                if parser.expectsContinue, position == input.count { send(interim: ResponseWriter.interim) }
            case .complete(let parsed):
                if messages > 0 { server.pipelinedAllowance -= 1 }
                messages += 1
                begin(parsed, received: phase == .readingBody ? headArrived : server.loop.now)
            case .failed(let error):
                refuse(error)
            }
            enterReadingPhase()
        }
    }

    /// Has a large body that is not there as a whole counted with those of others.
    private func countBody() {
        let bytes = parser.isReadingBody && parser.body.count > HTTPConfiguration.smallBodyBytes ? parser.body.count : 0
        guard bytes != countedBody else { return }
        let budget = server.configuration.bodyBudget
        budget.add(bytes - countedBody)
        countedBody = bytes
        guard bytes > 0, budget.isSpent else { return }
        refuse(HTTPError(503, "Too many large bodies are under way at the moment. Send it again in a few seconds."))
        parser = RequestParser(limits: server.configuration.limits)
        countBody()
    }

    /// Notes which part of a message is being read. Each part's time begins with its first byte, so that sending byte
    /// by byte gains nothing.
    private func enterReadingPhase() {
        let next: Phase
        switch phase {
        case .idle, .readingHead, .readingBody:
            next = parser.isReadingBody ? .readingBody : parser.hasBegun ? .readingHead : .idle
        default: return
        }
        guard next != phase else { return }
        enter(next)
    }

    func enter(_ next: Phase) {
        // A write that failed in between has closed the connection, and closed it stays.
        guard phase != .closed else { return }
        phase = next
        let configuration = server.configuration
        switch next {
        case .idle: setDeadline(configuration.idleTimeoutMilliseconds)
        case .readingHead: setDeadline(configuration.headerTimeoutMilliseconds)
        // One that comes later could not be answered in time.
        case .readingBody:
            setDeadline(min(configuration.bodyTimeoutMilliseconds, configuration.requestDeadlineMilliseconds))
        case .lingering: setDeadline(configuration.lingerMilliseconds)
        // For each piece anew: the whole body may take as long as it takes.
        case .streaming:
            setDeadline(configuration.requestDeadlineMilliseconds + configuration.overrunMilliseconds)
        case .upgraded: setDeadline(configuration.webSockets.pingMilliseconds)
        // However little the client takes at a time.
        case .closing where socket != nil: setDeadline(configuration.writeTimeoutMilliseconds)
        case .handling, .closing, .closed: break
        }
    }

    private func setDeadline(_ milliseconds: Int) {
        deadline = server.loop.now.advanced(byMilliseconds: milliseconds)
    }

    // MARK: Progress

    /// Ends a turn with this connection: writes what there is, then decides what to wait for.
    func conclude() {
        guard phase != .closed else { return }
        flush()
        guard phase != .closed else { return }
        if output.isEmpty {
            // While the next request is handled there is none but that of an answer before it.
            if phase == .streaming { continueStream() } else { hold = nil }
            switch phase {
            case .closing:
                linger()
                return
            case .idle, .readingHead, .readingBody:
                // What the client did not finish it cannot finish any more, and an idle connection has had its time.
                let isDrained = server.isDraining && phase == .idle && hasReceived
                if leftover.isEmpty, isInputClosed || isDrained {
                    close()
                    return
                }
            default:
                break
            }
        }
        var interest: Readiness = output.isEmpty ? [] : .writable
        let wantsInput =
            phase == .upgraded
            ? socket?.wantsInput == true : phase == .handling || phase == .streaming || output.isEmpty
        if wantsInput, leftover.isEmpty, !isInputClosed, phase != .closing { interest.insert(.readable) }
        registration.update(interest: interest)
        if !isBusy, !leftover.isEmpty, !isYielding {
            isYielding = true
            server.wait(for: self)
        }
    }

    /// Goes on with the client's next messages: it is its turn again.
    func takeTurn() {
        isYielding = false
        resume()
    }

    /// Called now and then: ends what has taken too long.
    func checkDeadline(_ now: MonotonicTime) {
        if let hold, hold.mustGiveWay(at: now), !output.isEmpty || phase == .streaming {
            server.warnNow("an answer was broken off", ["cause": "its client takes it too slowly, and others wait"])
            return close()
        }
        if !output.isEmpty {
            if now >= writeDeadline || phase == .closing && socket != nil && now >= deadline { close() }
            return
        }
        guard now >= deadline else { return }
        switch phase {
        case .idle, .lingering:
            close()
        case .readingHead:
            refuse(HTTPError(408, "Send the whole header section sooner."))
            conclude()
        case .readingBody:
            refuse(HTTPError(408, "Send the whole body sooner."))
            conclude()
        case .handling:
            overrun()
        case .streaming:
            // Nothing was written for too long, though the client has taken all there was.
            server.warnNow("an answer was broken off", ["cause": "the rest of it did not come in time"])
            close()
        case .upgraded:
            socket?.checkIdle()
            enter(.upgraded)
        case .closing, .closed:
            break
        }
    }

    /// The server stops: an idle connection closes, unless a request has come that was not read yet.
    func beginDrain() {
        socket?.close(Self.goingAway)
        stream?.onEnd?()
        guard phase == .idle, output.isEmpty, leftover.isEmpty else { return }
        readInput()
        if phase == .idle, hasReceived { close() }
    }

    /// A client that connected just before the server stopped has had time enough for its first request.
    func endGrace() {
        if phase == .idle, output.isEmpty { close() }
    }

    // MARK: End

    /// The last answer is with the kernel. To close now could make the kernel discard it, if input comes that nobody
    /// reads (RFC 9112 section 9.6): so only the sending side is shut, until the client has closed too.
    private func linger() {
        leftover = []
        guard !isInputClosed else {
            close()
            return
        }
        shutdown(descriptor, Int32(SHUT_WR))
        enter(.lingering)
        registration.update(interest: .readable)
    }

    private func dropInput() {
        let count = recv(descriptor, server.readBuffer.baseAddress, server.readBuffer.count, 0)
        if count > 0 {
            lingeredBytes += count
            if lingeredBytes > server.configuration.lingerBytes { close() }
        } else if count == 0 || (errno != EAGAIN && errno != EINTR) {
            close()
        }
    }

    func close() {
        guard phase != .closed else { return }
        // What ends too early must not look like a body that ends with its connection.
        if stream != nil { resetOnClose() }
        phase = .closed
        dropStream()
        let socket = socket
        socket?.hasEnded()
        self.socket = nil
        current = nil
        leftover = []
        output = []
        socket?.hasGone()
        hold = nil
        if countedBody > 0 { server.configuration.bodyBudget.add(-countedBody) }
        countedBody = 0
        registration.cancel()
        Glibc.close(descriptor)
        server.remove(self)
    }
}
