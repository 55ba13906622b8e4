import CLinux
import Glibc

/// A stream connection to a server, from `connect` to its single `onClose`: bytes out, bytes in. What they mean is
/// its owner's affair. Belongs to the thread of its loop, which keeps it alive while it is open.
public final class OutgoingConnection: DescriptorHandler {
    private static let readBytes = 16_384
    private static let lastReads = 16

    private let loop: EventLoop
    private var descriptor: Int32 = -1
    private var registration: Registration?
    private var isConnected = false
    private var isClosed = false
    private var output: [UInt8] = []
    private var outputStart = 0

    /// Whether the kernel has taken any byte: before that, the peer cannot have seen anything.
    public private(set) var hasSent = false
    /// Bytes that the kernel has not taken yet.
    public var unsentBytes: Int { output.count - outputStart }

    /// Called once when the connection is there.
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
    public func connect(to address: SocketAddress) {
        loop.preconditionCurrent()
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        descriptor = socket(address.family, kind, 0)
        guard descriptor >= 0 else { return failLater(SystemError("socket")) }
        if address.family != AF_UNIX {
            // What is written here is written whole, so waiting for more (Nagle's algorithm) could only delay it.
            var one: Int32 = 1
            setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
        }
        let result = address.withPointer { Glibc.connect(descriptor, $0, $1) }
        // A Unix socket whose queue is full says EAGAIN: nothing tells when there is room, so it counts as a failure.
        guard result == 0 || errno == EINPROGRESS || errno == EINTR else { return failLater(SystemError("connect")) }
        do {
            // The descriptor becomes writable once the connection is there, also when that was at once.
            registration = try loop.register(descriptor, interest: .writable, handler: self)
        } catch {
            failLater(error)
        }
    }

    /// Queues bytes; they leave at the end of the loop's turn, or once the connection is there.
    public func send(_ bytes: [UInt8]) {
        loop.preconditionCurrent()
        guard !isClosed, !bytes.isEmpty else { return }
        let wasIdle = output.isEmpty
        output.append(contentsOf: bytes)
        guard wasIdle, isConnected else { return }
        loop.atEndOfTurn { [weak self] in self?.write() }
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
            return end(SystemError("connect", code: code == 0 ? errno : code).description)
        }
        isConnected = true
        let onConnect = self.onConnect
        self.onConnect = nil
        onConnect?()
        if !isClosed { write() }
    }

    private func write() {
        guard isConnected, !isClosed else { return }
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
        if count == 0 { return end(nil) }
        if count < 0, errno != EAGAIN, errno != EINTR { end(SystemError("recv").description) }
    }

    /// - Returns: what `recv` returned, with `errno` untouched.
    private func receive() -> Int {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.readBytes) { buffer in
            let count = recv(descriptor, buffer.baseAddress!, buffer.count, 0)
            if count > 0 { onInput?(UnsafeBufferPointer(rebasing: buffer[..<count])) }
            return count
        }
    }

    private func failLater(_ error: any Error) {
        loop.atEndOfTurn { [weak self] in self?.end("\(error)") }
    }

    private func end(_ reason: String?) {
        let onClose = self.onClose
        close()
        onClose?(reason)
    }
}
