import CLinux
import Glibc

/// What lies between the bytes of a connection's owner and those that go over the network, such as TLS. Belongs to the
/// thread of the connection's loop.
public protocol ConnectionLayer: AnyObject {
    /// Whether the owner's bytes can be wrapped: before that, what is said is the layer's own.
    var isReady: Bool { get }
    /// Bytes to send, such as of the layer's own greeting; empty if there are none at the moment.
    func takeOutput() -> [UInt8]
    /// Wraps the owner's bytes; `takeOutput` has them then.
    func wrap(_ bytes: [UInt8]) throws(LayerFailure)
    /// Takes in what has come, and passes on the owner's part of it.
    /// - Parameter take: may end the connection, after which nothing more is passed on.
    /// - Returns: whether the peer goes on.
    func unwrap(_ bytes: UnsafeBufferPointer<UInt8>, _ take: (UnsafeBufferPointer<UInt8>) -> Void) throws(LayerFailure)
        -> Bool
    /// What it means that the peer ended the connection before the layer was ready, in words for a log.
    var reasonOfEarlyEnd: String { get }
}

/// Why a layer cannot go on, in words for a log.
public struct LayerFailure: Error {
    public let reason: String

    public init(reason: String) {
        self.reason = reason
    }
}

/// A stream connection to a server, from `connect` to its single `onClose`: bytes out, bytes in. What they mean is
/// its owner's affair. Belongs to the thread of its loop, which keeps it alive while it is open.
public final class OutgoingConnection: DescriptorHandler {
    private static let readBytes = 16_384
    private static let lastReads = 16

    private let loop: EventLoop
    private var descriptor: Int32 = -1
    private var registration: Registration?
    /// Whether the peer has taken the connection; its layer may not be ready.
    public private(set) var isConnected = false
    private var isClosed = false
    private var layer: (any ConnectionLayer)?
    /// The owner's bytes while the layer cannot take them.
    private var unwrapped: [UInt8] = []
    private var output: [UInt8] = []
    private var outputStart = 0

    /// Whether the kernel has taken any byte: before that, the peer cannot have seen anything.
    public private(set) var hasSent = false
    /// Bytes that the kernel has not taken yet.
    public var unsentBytes: Int { output.count - outputStart + unwrapped.count }

    /// Called once when the connection is there, and its layer ready.
    public var onConnect: (() -> Void)?
    /// Called with what has come. The bytes are valid during the call only.
    public var onInput: ((UnsafeBufferPointer<UInt8>) -> Void)?
    /// Called once, with nil when the peer ended the connection in good order, or else with what went wrong; not
    /// after `close`.
    public var onClose: ((String?) -> Void)?

    public init(loop: EventLoop) {
        self.loop = loop
    }

    deinit {
        if descriptor >= 0 { Glibc.close(descriptor) }
    }

    /// Begins to connect; to be called once. How it ends is told through `onConnect` or `onClose`, never before this
    /// returns.
    /// - Parameters:
    ///   - layer: what wraps the bytes; nil: they go as they are.
    ///   - isKeptAlive: whether a peer that is gone is noticed also while nothing is said (tcp(7): after 30 s).
    public func connect(
        to address: SocketAddress, through layer: (any ConnectionLayer)? = nil, isKeptAlive: Bool = false
    ) {
        loop.preconditionCurrent()
        self.layer = layer
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        descriptor = socket(address.family, kind, 0)
        guard descriptor >= 0 else { return failLater(SystemError("socket").description) }
        if address.family != AF_UNIX {
            // What is written here is written whole, so waiting for more (Nagle's algorithm) could only delay it.
            set(TCP_NODELAY, of: Int32(IPPROTO_TCP), to: 1)
            if isKeptAlive {
                set(SO_KEEPALIVE, of: SOL_SOCKET, to: 1)
                set(TCP_KEEPIDLE, of: Int32(IPPROTO_TCP), to: 15)
                set(TCP_KEEPINTVL, of: Int32(IPPROTO_TCP), to: 5)
                set(TCP_KEEPCNT, of: Int32(IPPROTO_TCP), to: 3)
            }
        }
        let result = address.withPointer { Glibc.connect(descriptor, $0, $1) }
        // A Unix socket whose queue is full says EAGAIN: nothing tells when there is room, so it counts as a failure.
        guard result == 0 || errno == EINPROGRESS || errno == EINTR else {
            return failLater(SystemError("connect").reason)
        }
        do {
            // The descriptor becomes writable once the connection is there, also when that was at once.
            registration = try loop.register(descriptor, interest: .writable, handler: self)
        } catch {
            failLater("\(error)")
        }
    }

    private func set(_ option: Int32, of level: Int32, to value: Int32) {
        var value = value
        setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Queues bytes; they leave at the end of the loop's turn, or once the connection is there.
    public func send(_ bytes: [UInt8]) {
        let wasIdle = unsentBytes == 0
        queue(bytes)
        guard wasIdle, isConnected else { return }
        loop.atEndOfTurn { [weak self] in self?.flush() }
    }

    /// Queues bytes; they leave with what is sent next, or at `flush`.
    public func queue(_ bytes: [UInt8]) {
        loop.preconditionCurrent()
        guard !isClosed else { return }
        if layer == nil {
            output.append(contentsOf: bytes)
        } else {
            unwrapped.append(contentsOf: bytes)
        }
    }

    /// Gives the kernel what is queued, as much as it takes; the rest follows once it takes more.
    public func flush() {
        guard isConnected, !isClosed else { return }
        if let layer, layer.isReady, !unwrapped.isEmpty {
            do throws(LayerFailure) {
                try layer.wrap(unwrapped)
            } catch {
                return end(error.reason)
            }
            unwrapped.removeAll(keepingCapacity: true)
            output.append(contentsOf: layer.takeOutput())
        }
        write()
    }

    /// Ends the connection without telling `onClose`.
    public func close() {
        guard !isClosed else { return }
        isClosed = true
        registration?.cancel()
        registration = nil
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
        output = []
        outputStart = 0
        unwrapped = []
        layer = nil
        onConnect = nil
        onInput = nil
        onClose = nil
    }

    // MARK: Events

    public func ready(_ readiness: Readiness) {
        if !isConnected {
            guard !readiness.isDisjoint(with: [.writable, .closed]) else { return }
            return finishConnecting()
        }
        if readiness.contains(.writable) { write() }
        if !isClosed, !readiness.isDisjoint(with: [.readable, .closed]) { read() }
    }

    private func finishConnecting() {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) == 0, code == 0 else {
            return end(SystemError("connect", code: code == 0 ? errno : code).reason)
        }
        isConnected = true
        guard let layer else { return isReady() }
        output = layer.takeOutput()
        write()
    }

    private func isReady() {
        let onConnect = self.onConnect
        self.onConnect = nil
        onConnect?()
        flush()
    }

    private func write() {
        while outputStart < output.count {
            let count = output.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress! + outputStart, $0.count - outputStart, Int32(MSG_NOSIGNAL))
            }
            if count > 0 {
                hasSent = true
                outputStart += count
            } else if errno == EAGAIN {
                break
            } else if errno != EINTR {
                // The peer may have answered before it closed, so what it said is read first.
                return readLast(SystemError("send").description)
            }
        }
        if outputStart == output.count {
            output.removeAll(keepingCapacity: true)
            outputStart = 0
        }
        registration?.update(interest: output.isEmpty ? .readable : [.readable, .writable])
    }

    /// Takes in some of what the peer said before a write failed; a peer that goes on for ever is not waited for.
    private func readLast(_ reason: String) {
        for _ in 0..<Self.lastReads where !isClosed {
            guard receive() > 0 else { break }
        }
        if !isClosed { end(reason) }
    }

    private func read() {
        let count = receive()
        if count == 0 { return end(layer.flatMap { $0.isReady ? nil : $0.reasonOfEarlyEnd }) }
        if count < 0, errno != EAGAIN, errno != EINTR { end(SystemError("recv").description) }
    }

    /// - Returns: what `recv` returned, with `errno` untouched.
    private func receive() -> Int {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.readBytes) { buffer in
            let count = recv(descriptor, buffer.baseAddress!, buffer.count, 0)
            if count > 0 { take(UnsafeBufferPointer(rebasing: buffer[..<count])) }
            return count
        }
    }

    private func take(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let layer else {
            onInput?(bytes)
            return
        }
        let wasReady = layer.isReady
        var goesOn = false
        do throws(LayerFailure) {
            // Read anew each time: what is passed on may end the connection.
            goesOn = try layer.unwrap(bytes) { self.onInput?($0) }
        } catch {
            // Such as the alert that tells the peer why.
            let last = layer.takeOutput()
            if !isClosed { _ = Glibc.send(descriptor, last, last.count, Int32(MSG_NOSIGNAL)) }
            return end(error.reason)
        }
        if isClosed { return }
        output.append(contentsOf: layer.takeOutput())
        if !goesOn { return end(nil) }
        if !wasReady, layer.isReady { return isReady() }
        if !output.isEmpty { write() }
    }

    private func failLater(_ reason: String) {
        loop.atEndOfTurn { [weak self] in self?.end(reason) }
    }

    private func end(_ reason: String?) {
        let onClose = self.onClose
        close()
        onClose?(reason)
    }
}
