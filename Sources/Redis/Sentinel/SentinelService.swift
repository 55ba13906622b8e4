/// A primary that Sentinels watch: where they are, and the name that they know it by.
public struct SentinelService: Equatable, Sendable {
    /// At least one; the more of them are named, the more may be gone or cut off.
    public var sentinels: [NodeAddress]
    public var name: String
    /// Of the Sentinels themselves, not of the primary.
    public var user: String?
    public var password: String?

    public init(sentinels: [NodeAddress], name: String, user: String? = nil, password: String? = nil) {
        self.sentinels = sentinels
        self.name = name
        self.user = user
        self.password = password
    }
}
