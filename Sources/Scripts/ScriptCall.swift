import EventLoop
import Redis

/// A script of `lua/` with what it is given: made from its header (CONTRIBUTING.md, "To add").
public protocol ScriptCall: Sendable {
    /// What it may answer: a case for each result that its header documents.
    associatedtype Reply: Sendable

    static var script: Script { get }
    /// Whether a reply tells of a change that is answered once replicas have it; nil if none does.
    static var isChange: (@Sendable (Value) -> Bool)? { get }
    var keys: [String] { get }
    var arguments: [String] { get }

    static func read(_ reply: ReplyParts) throws(RedisError) -> Reply
}

extension ScriptCall {
    public static var isChange: (@Sendable (Value) -> Bool)? { nil }

    /// - Throws: `RedisError.unexpectedReply` for a reply that the header does not document.
    public static func reply(_ value: Value) throws(RedisError) -> Reply {
        try read(ReplyParts(script: script.name, whole: value))
    }
}

extension Client {
    /// A script's call as a command, to be sent among others. If Redis does not know the script any more, the reply to it
    /// is the error NOSCRIPT, and `run` makes it known again.
    /// - Returns: nil before the first login.
    public func command<Call: ScriptCall>(_ call: Call) -> Command? {
        self.call(Call.script, keys: call.keys, arguments: call.arguments)
    }

    /// Runs a script, with a command sent before it in the same write if there is one. A reply that tells of a change
    /// waits for replicas, if the client does.
    public func run<Call: ScriptCall>(
        _ call: Call, after preceding: Command? = nil, deadline: MonotonicTime
    ) async throws(RedisError) -> (preceding: Value, reply: Call.Reply) {
        let replies = try await run(
            Call.script, keys: call.keys, arguments: call.arguments, after: preceding, isChange: Call.isChange,
            deadline: deadline)
        return (replies.preceding, try Call.reply(replies.script))
    }
}

/// A script's reply by its parts. The first one is the word that tells which of its results it is, where there are
/// several.
public struct ReplyParts {
    let script: String
    let whole: Value
    private let parts: [Value]

    init(script: String, whole: Value) {
        self.script = script
        self.whole = whole
        parts = whole.array ?? [whole]
    }

    var word: String? { parts.first?.string }
    var unexpected: RedisError { .unexpectedReply("\(script) returned \(whole)") }

    private func part(_ index: Int) throws(RedisError) -> Value {
        guard index < parts.count else { throw unexpected }
        return parts[index]
    }

    func integer(_ index: Int) throws(RedisError) -> Int { try part(index).integerOrThrow() }
    func text(_ index: Int) throws(RedisError) -> String { try part(index).stringOrThrow() }
    func hash(_ index: Int) throws(RedisError) -> [String: String] { try part(index).hash() }
    func array(_ index: Int) throws(RedisError) -> [Value] { try part(index).arrayOrThrow() }

    /// Nil for one that is absent.
    func optionalInteger(_ index: Int) throws(RedisError) -> Int? {
        index < parts.count ? try integer(index) : nil
    }

    /// Nil for an empty one.
    func optionalText(_ index: Int) throws(RedisError) -> String? {
        let text = try text(index)
        return text.isEmpty ? nil : text
    }
}

extension Scripts {
    /// Whether a reply begins with one of these words.
    static func changes(_ words: String...) -> @Sendable (Value) -> Bool {
        { reply in (reply.array?.first ?? reply).string.map(words.contains) ?? false }
    }

    static func list(_ key: String?) -> [String] { key.map { [$0] } ?? [] }
}
