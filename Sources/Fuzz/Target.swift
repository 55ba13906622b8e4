/// Something of Usher that is tried with inputs made by a `Mutator`.
struct Target: Sendable {
    let name: String
    /// The longest input.
    var maximumBytes: Int
    /// What one input may take; by default as long as a loop may be held.
    var maximumNanoseconds = 10_000_000
    /// What decides how inputs are understood, and what has fooled others before.
    let tokens: [[UInt8]]
    /// What does not hold for an input, or nil. That nothing traps goes without saying.
    let violation: @Sendable (_ input: [UInt8], _ mutator: inout Mutator) -> String?

    init(
        name: String, maximumBytes: Int, tokens: [String],
        violation: @escaping @Sendable (_ input: [UInt8], _ mutator: inout Mutator) -> String?
    ) {
        self.name = name
        self.maximumBytes = maximumBytes
        self.tokens = tokens.map { Array($0.utf8) }
        self.violation = violation
    }

    static let all: [Target] = [.http, .json, .stream, .links, .webSocket, .calendars, .replies]
}
