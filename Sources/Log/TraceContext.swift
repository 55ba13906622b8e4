/// What a request has in common with all that follows from it, in this service and in others: W3C Trace Context
/// (https://www.w3.org/TR/trace-context/). A request brings one in its field `traceparent`, or a new one is made; it goes
/// with the dispatch to the runner, the bot and the bot's reports, so that one id finds them all.
public struct TraceContext: Equatable, Sendable {
    /// The halves of the trace-id, which is never zero.
    private let high: UInt64
    private let low: UInt64
    /// The parent-id: the operation that the next one was asked for by. Never zero.
    private let parent: UInt64
    /// The flags that are known: 1 sampled, 2 random (section "trace-flags").
    private let flags: UInt8
    /// The field `tracestate`, which belongs to the tracing systems that the trace has passed; nil if there is none.
    public private(set) var state: String?

    /// `traceparent` of version 00.
    public static let parentBytes = 55
    static let maximumStateBytes = 512
    private static let maximumStateMembers = 32

    /// A new trace, neither sampled nor random by the flags' meaning.
    /// - Parameter operation: the parent-id for what follows.
    public init(newTrace high: UInt64, _ low: UInt64, operation: UInt64) {
        self.high = high
        self.low = high == 0 && low == 0 ? 1 : low
        parent = max(operation, 1)
        flags = 0
    }

    /// The value of a field `traceparent`, and that of `tracestate` if it is sound and short. What is not sound is
    /// ignored, as the standard has it: nil for the first, no state for the second.
    ///
    /// Version 00 has to be as the standard says to the last character. Of a higher version the beginning is understood,
    /// which must have the form of version 00 and end there or at a dash.
    public init?(traceparent: String, tracestate: String? = nil) {
        var text = traceparent
        let parsed = text.withUTF8 { Self.parse($0) }
        guard let parsed else { return nil }
        (high, low, parent, flags) = parsed
        state = tracestate.flatMap { Self.isSound(state: $0) ? $0 : nil }
    }

    /// The same trace, of which another operation is the parent now.
    public func continued(by operation: UInt64) -> TraceContext {
        TraceContext(high: high, low: low, parent: max(operation, 1), flags: flags, state: state)
    }

    private init(high: UInt64, low: UInt64, parent: UInt64, flags: UInt8, state: String?) {
        (self.high, self.low, self.parent, self.flags, self.state) = (high, low, parent, flags, state)
    }

    /// 32 hexadecimal digits: what log lines and events carry.
    public var traceID: String {
        String(unsafeUninitializedCapacity: 32) { buffer in
            Self.write(high, digits: 16, to: buffer, at: 0)
            Self.write(low, digits: 16, to: buffer, at: 16)
            return 32
        }
    }

    /// As the field and the environment variable `TRACEPARENT` have it, in version 00.
    public var traceparent: String {
        String(unsafeUninitializedCapacity: Self.parentBytes) { buffer in
            Self.write(0, digits: 2, to: buffer, at: 0)
            Self.write(high, digits: 16, to: buffer, at: 3)
            Self.write(low, digits: 16, to: buffer, at: 19)
            Self.write(parent, digits: 16, to: buffer, at: 36)
            Self.write(UInt64(flags), digits: 2, to: buffer, at: 53)
            for dash in Self.dashes { buffer[dash] = UInt8(ascii: "-") }
            return Self.parentBytes
        }
    }

    // MARK: Hexadecimal

    private static let dashes = [2, 35, 52]

    private static func parse(
        _ text: UnsafeBufferPointer<UInt8>
    ) -> (high: UInt64, low: UInt64, parent: UInt64, flags: UInt8)? {
        guard text.count >= parentBytes, dashes.allSatisfy({ text[$0] == UInt8(ascii: "-") }),
            let version = number(text[0..<2]), version != 0xff,
            let high = number(text[3..<19]), let low = number(text[19..<35]), high != 0 || low != 0,
            let parent = number(text[36..<52]), parent != 0, let flags = number(text[53..<55])
        else { return nil }
        if version == 0 {
            guard text.count == parentBytes else { return nil }
            return (high, low, parent, UInt8(flags & 3))
        }
        guard text.count == parentBytes || text[parentBytes] == UInt8(ascii: "-") else { return nil }
        return (high, low, parent, UInt8(flags & 1))
    }

    /// Of lower-case digits: others are refused by the standard.
    private static func number(_ digits: Slice<UnsafeBufferPointer<UInt8>>) -> UInt64? {
        var number: UInt64 = 0
        for digit in digits {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): number = number << 4 | UInt64(digit - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): number = number << 4 | UInt64(digit - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        return number
    }

    private static func write(
        _ number: UInt64, digits: Int, to buffer: UnsafeMutableBufferPointer<UInt8>, at start: Int
    ) {
        for index in 0..<digits {
            let digit = UInt8(truncatingIfNeeded: number >> UInt64(4 * (digits - 1 - index)) & 15)
            buffer[start + index] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit
        }
    }

    // MARK: State

    /// Whether a `tracestate` is a list of members `key=value`, of keys that differ, as section "tracestate" has it.
    private static func isSound(state: String) -> Bool {
        guard state.utf8.count <= maximumStateBytes else { return false }
        var keys: Set<Substring> = []
        for member in state.split(separator: ",", omittingEmptySubsequences: false) {
            let member = member.drop { $0 == " " || $0 == "\t" }
            if member.isEmpty { continue }
            guard let sign = member.firstIndex(of: "="), isSound(key: member[..<sign]),
                isSound(value: member[member.index(after: sign)...]), keys.insert(member[..<sign]).inserted
            else { return false }
        }
        return (1...maximumStateMembers).contains(keys.count)
    }

    private static func isSound(key: Substring) -> Bool {
        func isLetterOrDigit(_ byte: UInt8) -> Bool {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
        return key.utf8.first.map(isLetterOrDigit) == true && key.utf8.count <= 256
            && key.utf8.allSatisfy { isLetterOrDigit($0) || "_-*/@".utf8.contains($0) }
    }

    private static func isSound(value: Substring) -> Bool {
        (1...256).contains(value.utf8.count)
            && value.utf8.allSatisfy { (0x20...0x7e).contains($0) && $0 != UInt8(ascii: "=") }
    }
}
