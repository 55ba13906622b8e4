/// Why a text is not taken as JSON. It holds no more of the text than a member's name.
public struct JSONError: Error, Equatable, Sendable {
    /// The member that is wrong, as the path that leads to it, such as `data.languages[3]`; nil if it is the whole text.
    public let member: String?
    /// Completes "<member> ..." or "The text ...".
    public let problem: String
    /// Where in the text, in bytes from its beginning.
    public let offset: Int

    static func syntax(_ what: String, at offset: Int) -> JSONError {
        JSONError(member: nil, problem: "must be valid JSON: \(what) at byte \(offset)", offset: offset)
    }

    static func limit(_ limit: String, at offset: Int) -> JSONError {
        JSONError(member: nil, problem: "must have at most \(limit): one more at byte \(offset)", offset: offset)
    }

    static func doubled(_ member: String, at offset: Int) -> JSONError {
        JSONError(member: member, problem: "must be there once: again at byte \(offset)", offset: offset)
    }
}
