import EventLoop
import Glibc

/// The two pipes to a browser that was started with `--remote-debugging-pipe`: messages of JSON, each ended by a NUL byte.
/// Belongs to its loop's thread.
final class BrowserPipe: DescriptorHandler {
    private static let readBytes = 65_536
    /// The longest message that is taken; a longer one, such as a line that a page wrote, is passed over.
    private static let maximumMessageBytes = 8 << 20
    /// What may wait for the browser to take it.
    private static let maximumOutputBytes = 8 << 20

    private let input: Int32
    private let output: Int32
    private var inputRegistration: Registration?
    private var outputRegistration: Registration?
    private var received: [UInt8] = []
    /// Whether what comes belongs to a message that is passed over.
    private var isSkipping = false
    private var waiting: [UInt8] = []

    /// Called with each message, without its NUL.
    var onMessage: (([UInt8]) -> Void)?
    /// Called once, when the browser has gone or is no longer listened to; not after `close`.
    var onClose: ((String) -> Void)?

    /// - Parameters: this side's ends, non-blocking, which are the pipe's to close from now on.
    /// - Throws: `SystemError` from the loop.
    init(loop: EventLoop, input: Int32, output: Int32) throws {
        self.input = input
        self.output = output
        inputRegistration = try loop.register(input, interest: .readable, handler: self)
        outputRegistration = try loop.register(output, interest: [], handler: self)
    }

    deinit {
        Glibc.close(input)
        Glibc.close(output)
    }

    /// Sends a message, at once as far as the browser takes it.
    func send(_ message: String) {
        guard inputRegistration != nil else { return }
        waiting.append(contentsOf: message.utf8)
        waiting.append(0)
        guard waiting.count <= Self.maximumOutputBytes else { return end("it takes no more messages") }
        write()
    }

    /// Ends the connection without telling `onClose`. A browser ends by itself when its pipes close.
    func close() {
        inputRegistration?.cancel()
        outputRegistration?.cancel()
        (inputRegistration, outputRegistration) = (nil, nil)
        (onMessage, onClose) = (nil, nil)
    }

    func ready(_ readiness: Readiness) {
        if !waiting.isEmpty { write() }
        read()
    }

    private func write() {
        while !waiting.isEmpty {
            let count = Glibc.write(output, waiting, waiting.count)
            if count > 0 {
                waiting.removeFirst(count)
            } else if errno == EAGAIN {
                break
            } else if errno != EINTR {
                return end("writing to it failed: \(SystemError("write").reason)")
            }
        }
        outputRegistration?.update(interest: waiting.isEmpty ? [] : .writable)
    }

    private func read() {
        var buffer = [UInt8](repeating: 0, count: Self.readBytes)
        let count = Glibc.read(input, &buffer, buffer.count)
        if count == 0 { return end("it has ended") }
        guard count > 0 else {
            if errno != EAGAIN, errno != EINTR { end("reading from it failed: \(SystemError("read").reason)") }
            return
        }
        var start = 0
        while let end = buffer[start..<count].firstIndex(of: 0) {
            received.append(contentsOf: buffer[start..<end])
            start = end + 1
            let message = received
            received.removeAll(keepingCapacity: true)
            if isSkipping {
                isSkipping = false
                continue
            }
            onMessage?(message)
            guard inputRegistration != nil else { return }
        }
        received.append(contentsOf: buffer[start..<count])
        if received.count > Self.maximumMessageBytes { isSkipping = true }
        if isSkipping { received = [] }
    }

    private func end(_ reason: String) {
        let onClose = self.onClose
        close()
        onClose?(reason)
    }
}
