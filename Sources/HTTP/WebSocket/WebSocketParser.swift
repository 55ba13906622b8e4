/// Why a WebSocket is closed: a status code (RFC 6455 section 7.4) and a few words, in ASCII, of at most 123 bytes.
public struct WebSocketClosure: Hashable, Sendable {
    public let code: Int
    public let reason: String

    public init(_ code: Int, _ reason: String) {
        precondition(reason.utf8.count <= 123, "a reason has to fit into a control frame")
        self.code = code
        self.reason = reason
    }
}

/// Reads what a client sends over a WebSocket (RFC 6455 section 5), from pieces of any size. Strict: what the RFC calls an
/// error ends it. No extensions are negotiated, so that reserved bits are errors too.
public struct WebSocketParser: Sendable {
    public enum Event: Hashable, Sendable {
        /// Whole messages, however many fragments they came in. A text is valid UTF-8.
        case text([UInt8])
        case binary([UInt8])
        case ping([UInt8])
        case pong([UInt8])
        /// The client closes; nil if it says no code (which must not be sent back: section 7.1.5).
        case close(code: Int?)
        /// What came is none that may come: to be told, and nothing after it is read.
        case failed(WebSocketClosure)
    }

    private enum State: Sendable {
        /// The header of a frame, as far as it has come.
        case header([UInt8])
        case payload(Frame, remaining: Int)
        case ended
    }

    private struct Frame: Sendable {
        let isFinal: Bool
        let opcode: UInt8
        let mask: [UInt8]
        /// Of payload that has come, modulo 4.
        var maskIndex = 0

        var isControl: Bool { opcode >= 8 }
    }

    private static let maximumControlBytes = 125

    private let maximumMessageBytes: Int
    private var state = State.header([])
    /// Of the message whose fragments are coming: its opcode, and what has come of it.
    private var opcode: UInt8?
    private var message: [UInt8] = []
    private var control: [UInt8] = []
    private var text = UTF8Check()

    /// - Parameter maximumMessageBytes: the longest message, all of its fragments together; a longer one is refused with
    ///   1009 as soon as its header says so.
    public init(maximumMessageBytes: Int) {
        self.maximumMessageBytes = maximumMessageBytes
    }

    /// Bytes that are kept of a message that is not complete.
    public var heldBytes: Int { message.count + control.count }

    /// Reads on from `position`, up to the next event.
    /// - Returns: nil if there is none before the end of the input.
    public mutating func advance(_ input: UnsafeBufferPointer<UInt8>, at position: inout Int) -> Event? {
        while true {
            switch state {
            case .ended:
                position = input.count
                return nil
            case .header(var bytes):
                state = .ended
                let outcome = readHeader(&bytes, input, &position)
                switch outcome {
                case nil:
                    state = .header(bytes)
                    return nil
                case .failure(let closure): return fail(closure)
                case .success(let (frame, length)): state = .payload(frame, remaining: length)
                }
            case .payload(var frame, let remaining):
                state = .ended
                let count = min(remaining, input.count - position)
                if let closure = take(input, position..<(position + count), &frame) { return fail(closure) }
                position += count
                guard count == remaining else {
                    state = .payload(frame, remaining: remaining - count)
                    return nil
                }
                state = .header([])
                if let event = complete(frame) { return event }
            }
        }
    }

    private mutating func fail(_ closure: WebSocketClosure) -> Event {
        state = .ended
        message = []
        control = []
        return .failed(closure)
    }

    // MARK: Headers

    private enum Outcome {
        case failure(WebSocketClosure)
        case success((Frame, length: Int))
    }

    /// - Returns: nil if the header is not complete. What is wrong with it is told as soon as it can be seen.
    private func readHeader(
        _ bytes: inout [UInt8], _ input: UnsafeBufferPointer<UInt8>, _ position: inout Int
    ) -> Outcome? {
        while true {
            if let problem = problem(of: bytes) { return .failure(WebSocketClosure(1002, problem)) }
            if bytes.count >= 2 {
                let lengthBytes = Self.lengthBytes(bytes[1] & 0x7f)
                if bytes.count >= 2 + lengthBytes {
                    let length = Self.length(bytes)
                    if let closure = check(length, bytes) { return .failure(closure) }
                    if bytes.count == 6 + lengthBytes {
                        let frame = Frame(
                            isFinal: bytes[0] & 0x80 != 0, opcode: bytes[0] & 0x0f, mask: Array(bytes.suffix(4)))
                        return .success((frame, Int(length)))
                    }
                }
            }
            guard position < input.count else { return nil }
            bytes.append(input[position])
            position += 1
        }
    }

    /// What is wrong with the first two bytes, as far as they have come.
    private func problem(of bytes: [UInt8]) -> String? {
        guard let first = bytes.first else { return nil }
        let code = first & 0x0f
        if first & 0x70 != 0 { return "a reserved bit is set" }
        guard [0, 1, 2, 8, 9, 10].contains(code) else { return "an unknown opcode" }
        if code >= 8, first & 0x80 == 0 { return "a control frame in fragments" }
        if code == 0, opcode == nil { return "a continuation of no message" }
        if code == 1 || code == 2, opcode != nil { return "a new message within another one" }
        guard bytes.count >= 2 else { return nil }
        if bytes[1] & 0x80 == 0 { return "a frame without a mask" }
        if code >= 8, bytes[1] & 0x7f > Self.maximumControlBytes { return "a control frame that is too long" }
        return nil
    }

    private static func lengthBytes(_ short: UInt8) -> Int { short == 127 ? 8 : short == 126 ? 2 : 0 }

    private static func length(_ bytes: [UInt8]) -> UInt64 {
        let short = bytes[1] & 0x7f
        let count = lengthBytes(short)
        if count == 0 { return UInt64(short) }
        return bytes[2..<(2 + count)].reduce(0) { $0 << 8 | UInt64($1) }
    }

    private func check(_ length: UInt64, _ bytes: [UInt8]) -> WebSocketClosure? {
        let short = bytes[1] & 0x7f
        if length >> 63 != 0 { return WebSocketClosure(1002, "a length with its highest bit set") }
        // Section 5.2: the minimal number of bytes must be used.
        if short == 126 && length < 126 || short == 127 && length < 65_536 {
            return WebSocketClosure(1002, "a length in more bytes than it takes")
        }
        guard bytes[0] & 0x08 == 0 else { return nil }
        if length > UInt64(maximumMessageBytes - message.count) {
            return WebSocketClosure(1009, "a message of over \(maximumMessageBytes) bytes")
        }
        return nil
    }

    // MARK: Payloads

    private mutating func take(
        _ input: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ frame: inout Frame
    ) -> WebSocketClosure? {
        let isText = frame.opcode == 1 || frame.opcode == 0 && opcode == 1
        var index = frame.maskIndex
        if frame.isControl {
            for place in range {
                control.append(input[place] ^ frame.mask[index & 3])
                index += 1
            }
        } else {
            let start = message.count
            message.reserveCapacity(start + range.count)
            for place in range {
                message.append(input[place] ^ frame.mask[index & 3])
                index += 1
            }
            // Section 8.1; at once, as nothing that follows could make it right.
            if isText, !text.take(message[start...]) { return Self.notUTF8 }
        }
        frame.maskIndex = index & 3
        return nil
    }

    private static let notUTF8 = WebSocketClosure(1007, "a text that is not UTF-8")

    private mutating func complete(_ frame: Frame) -> Event? {
        if frame.isControl {
            let payload = control
            control = []
            switch frame.opcode {
            case 9: return .ping(payload)
            case 10: return .pong(payload)
            default: return close(payload)
            }
        }
        if frame.opcode != 0 { opcode = frame.opcode }
        guard frame.isFinal else { return nil }
        let whole = message
        let isText = opcode == 1
        message = []
        opcode = nil
        guard isText else { return .binary(whole) }
        let isComplete = text.isComplete
        text = UTF8Check()
        return isComplete ? .text(whole) : fail(Self.notUTF8)
    }

    private mutating func close(_ payload: [UInt8]) -> Event {
        guard !payload.isEmpty else {
            state = .ended
            return .close(code: nil)
        }
        guard payload.count >= 2 else { return fail(WebSocketClosure(1002, "half of a status code")) }
        let code = Int(payload[0]) << 8 | Int(payload[1])
        // Section 7.4.2, and the codes that IANA has registered since (1012 to 1014).
        guard [1000...1003, 1007...1014, 3000...4999].contains(where: { $0.contains(code) }) else {
            return fail(WebSocketClosure(1002, "a status code that may not be sent"))
        }
        var reason = UTF8Check()
        guard reason.take(payload[2...]), reason.isComplete else { return fail(Self.notUTF8) }
        state = .ended
        return .close(code: code)
    }
}
