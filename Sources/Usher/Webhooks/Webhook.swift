import EventLoop
import Redis

/// Where a workspace wants to be told what happens, and of what: the hash `usher:{pX}:ws:<workspace>:webhook:<id>`.
/// Times in milliseconds since 1970.
public struct Webhook: Sendable {
    public enum Event: String, CaseIterable, Sendable {
        case started = "meeting.started"
        case statusChange = "meeting.status_change"
        case completed = "meeting.completed"
        case failed = "bot.failed"
        case transcriptionReady = "transcription.ready"
        case recordingReady = "recording.ready"
        case scheduled = "meeting.scheduled"
        case missed = "meeting.missed"

        /// Sent only to who asks for it, whatever else is chosen.
        public static let test = "webhook.test"
    }

    /// A secret that was replaced, and until when it signs beside the present one.
    public struct OldSecret: Equatable, Sendable {
        public let secret: String
        public let ends: Int
    }

    /// How many a workspace may have.
    public static let maximum = 10

    public let id: String
    public let workspaceID: String
    public let url: String
    /// What deliveries are signed with; nil signs none. It is shown once, where it was made, and never logged.
    public let secret: String?
    public let oldSecrets: [OldSecret]
    /// Those that are chosen; nil for all.
    public let events: Set<Event>?
    public let description: String
    public let isEnabled: Bool
    public let createdAt: Int
    public let updatedAt: Int
    /// Since when no delivery has succeeded, if the last one did not.
    public let failingSince: Int?
    public let disabledAt: Int?
    /// `gone`, if its receiver said so, or `failing`.
    public let disabledBecause: String?
    /// How many events were dropped, since too many waited.
    public let dropped: Int

    /// - Returns: nil for what is no webhook's hash.
    init?(_ fields: [String: String], workspace: String) {
        guard let id = fields["id"], let url = fields["url"] else { return nil }
        self.id = id
        workspaceID = workspace
        self.url = url
        secret = fields["secret"].flatMap { $0.isEmpty ? nil : $0 }
        oldSecrets = (fields["old_secrets"] ?? "").split(separator: "\n").compactMap { part in
            guard let colon = part.firstIndex(of: ":"), let ends = Int(part[..<colon]) else { return nil }
            return OldSecret(secret: String(part[part.index(after: colon)...]), ends: ends)
        }
        events = Self.events(fields["events"] ?? Self.allEvents)
        description = fields["description"] ?? ""
        isEnabled = fields["enabled"] == "1"
        createdAt = fields["created_at"].flatMap { Int($0) } ?? 0
        updatedAt = fields["updated_at"].flatMap { Int($0) } ?? createdAt
        failingSince = fields["failing_since"].flatMap { Int($0) }
        disabledAt = fields["disabled_at"].flatMap { Int($0) }
        disabledBecause = fields["disabled_because"]
        dropped = fields["dropped"].flatMap { Int($0) } ?? 0
    }

    /// Whether it is to be told of an event.
    public func wants(_ event: Event) -> Bool { events?.contains(event) ?? true }

    /// Eight stars and, of one that is long enough, the last four characters.
    public var maskedSecret: String? {
        secret.map { "********" + ($0.count >= 8 ? String($0.suffix(4)) : "") }
    }

    // MARK: As text

    private static let allEvents = "*"

    /// An event that a later version knows is passed over.
    private static func events(_ text: String) -> Set<Event>? {
        if text == allEvents { return nil }
        return Set(text.split(separator: " ").compactMap { Event(rawValue: String($0)) })
    }

    static func text(_ events: Set<Event>?) -> String {
        guard let events else { return allEvents }
        return Event.allCases.filter(events.contains).map(\.rawValue).joined(separator: " ")
    }
}

/// What is to change of a webhook, or what a new one is made from; nil leaves it as it is.
public struct WebhookChange: Sendable {
    public var url: String?
    /// The present one counts beside it for `overlapMilliseconds`.
    public var secret: String?
    public var overlapMilliseconds = 0
    /// `.some(nil)`: all.
    public var events: Set<Webhook.Event>??
    public var description: String?
    public var isEnabled: Bool?

    public init(
        url: String? = nil, secret: String? = nil, events: Set<Webhook.Event>?? = .none, description: String? = nil,
        isEnabled: Bool? = nil
    ) {
        self.url = url
        self.secret = secret
        self.events = events
        self.description = description
        self.isEnabled = isEnabled
    }

    /// Of the hash, but for the secret.
    var fields: [String] {
        var fields: [String] = []
        if let url { fields += ["url", url] }
        if let events { fields += ["events", Webhook.text(events)] }
        if let description { fields += ["description", description] }
        if let isEnabled { fields += ["enabled", isEnabled ? "1" : "0"] }
        return fields
    }
}
