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
    /// Whether texts are mended: one half of a surrogate pair alone, which is no text, is read as U+FFFD, and combining marks
    /// beyond `MarkRun.longest` in a row are left out. Otherwise both are refused, so that a person is told.
    public var mendsTexts: Bool

    public init(
        bytes: Int = 1 << 30, levels: Int = 32, values: Int = 20_000, numberBytes: Int = 64,
        mendsTexts: Bool = true
    ) {
        self.bytes = bytes
        self.levels = levels
        self.values = values
        self.numberBytes = numberBytes
        self.mendsTexts = mendsTexts
    }
}
