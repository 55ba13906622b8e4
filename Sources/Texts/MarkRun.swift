/// Counts the combining marks that follow one another in a text.
///
/// Swift brings such a run into its canonical order (UAX #15, section 1.3) whenever it compares or hashes a text, in time with
/// the square of the run's length: 8,000 marks, which are 16 KB, take 40 ms each time. So what comes from outside has no
/// long ones.
public struct MarkRun: Sendable {
    /// The most that there may be. Stream-Safe Text Format has 30 (UAX #15, section 13), and people make ornaments of more.
    public static let longest = 64

    private var length = 0

    public init() {}

    /// - Returns: whether the character is none too many. One that is left out changes nothing.
    public mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard Self.isMark(character) else {
            length = 0
            return true
        }
        guard length < Self.longest else { return false }
        length += 1
        return true
    }

    /// A character of ASCII, or an end.
    public mutating func end() { length = 0 }

    private static func isMark(_ character: Unicode.Scalar) -> Bool {
        // Below are none, and what is written with these has its table looked at for nothing.
        guard character.value >= 0x300, !(0x3400...0x9fff).contains(character.value) else { return false }
        // The most common ones, all but for the joiner among them.
        if character.value < 0x370 { return character.value != 0x34f }
        return character.properties.canonicalCombiningClass != .notReordered
    }
}

extension String {
    /// UTF-8 as text. Bytes that are none become U+FFFD, and marks that are too many in a row (`MarkRun`) are left out.
    public init(bounding bytes: some Collection<UInt8>) {
        self.init(decoding: bytes, as: UTF8.self)
        // With this byte U+0300 begins, the first of them.
        guard utf8.count > 2 * MarkRun.longest, utf8.contains(where: { $0 >= 0xcc }) else { return }
        var run = MarkRun()
        self.init(String.UnicodeScalarView(unicodeScalars.filter { run.take($0) }))
    }
}
