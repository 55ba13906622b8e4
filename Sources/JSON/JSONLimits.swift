/// How much of a JSON text is taken (RFC 8259, section 9: "An implementation may set limits"). They are checked while the
/// text is scanned, before any value is made of it.
public struct JSONLimits: Sendable {
    /// The longest text.
    public var bytes: Int
    /// How deep lists and objects may stand in each other.
    public var levels: Int
    /// How many values there may be: texts, numbers, `true`, `false`, `null`, lists and objects. Names are none.
    public var values: Int
    /// How many characters a number may be written with: twice as many as the longest that a double needs.
    public var numberBytes: Int
    /// Whether one half of a surrogate pair alone, which is no text, is read as U+FFFD. Others than those whose texts programs
    /// cut anywhere are told that it is none.
    public var takesHalfPairs: Bool

    public init(
        bytes: Int = 1 << 30, levels: Int = 32, values: Int = 20_000, numberBytes: Int = 64,
        takesHalfPairs: Bool = false
    ) {
        self.bytes = bytes
        self.levels = levels
        self.values = values
        self.numberBytes = numberBytes
        self.takesHalfPairs = takesHalfPairs
    }
}
