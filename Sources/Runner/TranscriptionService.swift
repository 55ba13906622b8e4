/// The speech service through which bots transcribe what they hear (docs/bot-wire.md, "Configuration").
public struct TranscriptionService: Equatable, Sendable {
    public var url: String
    /// A secret: bots get it in their configuration, and nobody else.
    public var token: String?
    public var model: String?
    /// `realtime` or `deferred`; nil leaves it to the bot.
    public var tier: String?

    public init(url: String, token: String? = nil, model: String? = nil, tier: String? = nil) {
        self.url = url
        self.token = token
        self.model = model
        self.tier = tier
    }
}

/// Printed in any way, it shows no token.
extension TranscriptionService: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { url }
    public var debugDescription: String { url }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
