import Redis
import Scripts

/// The webhooks of workspaces.
public struct Webhooks: Sendable {
    let session: Session

    /// Why a webhook was not made.
    public enum Refusal: Error, Equatable, Sendable {
        case unknownWorkspace
        /// There are as many as there may be; or there is a first one.
        case tooMany
    }

    /// All of a workspace, in the order in which they were made.
    public func all(workspace id: String) async throws(RedisError) -> [Webhook] {
        let keys = WorkspaceKeys(workspace: id)
        let ids = try await session.send(Command("ZRANGE", keys.webhooks, "0", "-1")).arrayOrThrow()
            .compactMap(\.string)
        guard !ids.isEmpty else { return [] }
        let records = ids.map { keys.webhook($0).webhook }
        let replies = try await session.replies(to: records.map { Command("HGETALL", $0) })
        var webhooks: [Webhook] = []
        for (key, reply) in zip(records, replies) {
            let fields = try session.oddRecords.leavingOut(key, reply) { reply throws(RedisError) in try reply.hash() }
            if let webhook = Webhook(fields ?? [:], workspace: id) { webhooks.append(webhook) }
        }
        return webhooks
    }

    public func webhook(_ id: String, workspace: String) async throws(RedisError) -> Webhook? {
        guard Webhook.isID(id) else { return nil }
        let key = WorkspaceKeys(workspace: workspace).webhook(id).webhook
        return Webhook(try await session.send(Command("HGETALL", key)).hash(), workspace: workspace)
    }

    /// The one that clients know who know of no more than one (`lua/includes/webhooks.lua`); nil if there is none.
    public func first(workspace id: String) async throws(RedisError) -> Webhook? {
        let keys = WorkspaceKeys(workspace: id)
        let replies = try await session.pipeline([
            Command("HGET", keys.workspace, "first_webhook"), Command("ZRANGE", keys.webhooks, "0", "0"),
        ])
        let oldest = try replies[1].arrayOrThrow().first?.string
        guard let first = try replies[0].optionalString() ?? oldest else { return nil }
        return try await webhook(first, workspace: id)
    }

    /// - Parameter isFirst: whether it is to be the first, and made only if there is none.
    /// - Returns: its id.
    public func create(
        _ new: WebhookChange, workspace: String, isFirst: Bool = false
    ) async throws(RedisError) -> Result<String, Refusal> {
        let keys = WorkspaceKeys(workspace: workspace)
        let id = Webhook.newID()
        let reply = try await session.run(
            Scripts.CreateWebhook(
                workspaceKey: keys.workspace, webhooksKey: keys.webhooks, webhookKey: keys.webhook(id).webhook,
                webhookID: id, most: Webhook.maximum, asFirst: isFirst,
                fields: new.fields + (new.secret.map { ["secret", $0] } ?? [])))
        switch reply {
        case .created: return .success(id)
        case .unknownWorkspace: return .failure(.unknownWorkspace)
        case .tooMany: return .failure(.tooMany)
        }
    }

    /// - Returns: false if there is no such webhook.
    public func change(_ id: String, workspace: String, _ change: WebhookChange) async throws(RedisError) -> Bool {
        guard Webhook.isID(id) else { return false }
        let webhook = WorkspaceKeys(workspace: workspace).webhook(id)
        return try await session.run(
            Scripts.UpdateWebhook(
                webhookKey: webhook.webhook, dueKey: webhook.due, pendingKey: webhook.pending,
                member: webhook.member, enables: change.isEnabled == true, secret: change.secret,
                overlapMilliseconds: change.overlapMilliseconds, fields: change.fields)) == .changed
    }

    /// - Parameter isFirst: whether it is to go only if it is the first.
    /// - Returns: false if there is no such webhook.
    public func delete(_ id: String, workspace: String, isFirst: Bool = false) async throws(RedisError) -> Bool {
        guard Webhook.isID(id) else { return false }
        let keys = WorkspaceKeys(workspace: workspace)
        let webhook = keys.webhook(id)
        return try await session.run(
            Scripts.DeleteWebhook(
                webhooksKey: keys.webhooks, webhookKey: webhook.webhook, dueKey: webhook.due,
                historyKey: webhook.events, doneKey: webhook.done, pendingKey: webhook.pending,
                workspaceKey: keys.workspace, webhookID: id, member: webhook.member, asFirst: isFirst)) == .removed
    }
}

extension Session {
    public var webhooks: Webhooks { Webhooks(session: self) }
}

extension Webhook {
    private static let idPrefix = "wh_"
    static let eventPrefix = "evt_"

    static func newID() -> String { idPrefix + Identifier.hex() }
    /// Of an event that no change of a meeting is behind.
    public static func newEventID() -> String { eventPrefix + Identifier.hex() }

    /// An id from outside becomes part of a key.
    static func isID(_ text: String) -> Bool { isIdentifier(text, idPrefix) }
    /// One becomes part of a field.
    static func isEventID(_ text: String) -> Bool { isIdentifier(text, eventPrefix) }

    private static func isIdentifier(_ text: String, _ prefix: String) -> Bool {
        text.utf8.count == prefix.utf8.count + 32 && text.hasPrefix(prefix)
            && text.dropFirst(prefix.count).allSatisfy { $0.isASCII && $0.isHexDigit }
    }

    /// A secret as Standard Webhooks has it: 24 random bytes in Base64 behind `whsec_`.
    public static func newSecret() -> String { "whsec_" + Identifier.base64(bytes: 24) }
}
