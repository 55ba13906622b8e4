import EventLoop
import Redis

/// Where a workspace wants to be told what happens, and of what (docs/bot-wire.md, "Receivers").
public struct Webhook: Equatable, Sendable {
    public enum Event: String, CaseIterable, Sendable {
        case started = "meeting.started"
        case statusChange = "meeting.status_change"
        case completed = "meeting.completed"
        case failed = "bot.failed"
        case transcriptionReady = "transcription.ready"
        case recordingReady = "recording.ready"
    }

    public var url: String?
    /// What deliveries are signed with. It is never shown again, and never logged.
    public var secret: String?
    /// What is chosen, and what is not; nil for what is sent without a choice.
    public var events: [Event: Bool]?

    public init(url: String?, secret: String? = nil, events: [Event: Bool]? = nil) {
        self.url = url
        self.secret = secret
        self.events = events
    }

    /// As the hash of a workspace has it. An event that a later version knows is passed over.
    init(_ fields: [String: String]) {
        url = fields["webhook_url"]
        secret = fields["webhook_secret"]
        events = fields["webhook_events"].map { text in
            text.split(separator: " ").reduce(into: [:]) { events, choice in
                let isWanted = !choice.hasPrefix("-")
                if let event = Event(rawValue: String(isWanted ? choice : choice.dropFirst())) {
                    events[event] = isWanted
                }
            }
        }
    }

    /// Eight stars and, of one that is long enough, the last four characters.
    public var maskedSecret: String? {
        secret.map { "********" + ($0.count >= 8 ? String($0.suffix(4)) : "") }
    }

    fileprivate static func text(_ events: [Event: Bool]) -> String {
        Event.allCases.compactMap { event in
            events[event].map { $0 ? event.rawValue : "-\(event.rawValue)" }
        }.joined(separator: " ")
    }
}

extension Store {
    public func webhook(workspace id: String, deadline: MonotonicTime) async throws(RedisError) -> Webhook {
        let names = ["webhook_url", "webhook_secret", "webhook_events"]
        let key = WorkspaceKeys(workspace: id).workspace
        let values = try await send(Command(words: ["HMGET", key] + names), by: deadline).arrayOrThrow()
        var fields: [String: String] = [:]
        for (name, value) in zip(names, values) { fields[name] = value.string }
        return Webhook(fields)
    }

    /// Sets what of a webhook is not nil, and leaves the rest as it is. One without an address is removed altogether.
    public func setWebhook(_ webhook: Webhook, workspace id: String, deadline: MonotonicTime) async throws(RedisError) {
        let key = WorkspaceKeys(workspace: id).workspace
        guard let url = webhook.url else {
            _ = try await change(
                [Command("HDEL", key, "webhook_url", "webhook_secret", "webhook_events")], by: deadline)
            return
        }
        var words = ["HSET", key, "webhook_url", url]
        if let secret = webhook.secret { words += ["webhook_secret", secret] }
        if let events = webhook.events { words += ["webhook_events", Webhook.text(events)] }
        _ = try await change([Command(words: words)], by: deadline)
    }
}
