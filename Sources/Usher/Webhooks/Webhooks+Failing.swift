import Redis

/// A webhook whose receiver takes nothing, for whoever runs the service.
public struct FailingWebhook: Sendable {
    public let workspaceID: String
    public let webhookID: String
    public let url: String
    /// Milliseconds since 1970.
    public let failingSince: Int
}

extension Webhooks {
    /// How many webhooks of a partition are looked at: those whose next attempt comes first.
    private static let maximumLookedAt = 100

    /// Those that wait to be told of something, and whose last attempt failed; the one that has failed for longest first.
    /// - Parameter limit: how many at most.
    public func failing(limit: Int) async throws(RedisError) -> [FailingWebhook] {
        let pages = try await session.replies(
            to: Partition.all.map {
                Command("ZRANGE", $0.deliveries, "0", String(Self.maximumLookedAt - 1))
            })
        var waiting: [(workspace: String, id: String, key: String)] = []
        for (partition, page) in zip(Partition.all, pages) {
            for member in try session.oddRecords.list(partition.deliveries, page).compactMap(\.string) {
                guard let (workspace, id) = DeliveryQueue.webhooks.webhook(member, in: partition) else { continue }
                waiting.append((workspace, id, WorkspaceKeys(workspace: workspace).webhook(id).webhook))
            }
        }
        guard !waiting.isEmpty else { return [] }
        let replies = try await session.replies(
            to: waiting.map { Command("HMGET", $0.key, "url", "failing_since") })
        var failing: [FailingWebhook] = []
        for (webhook, reply) in zip(waiting, replies) {
            let fields = try session.oddRecords.list(webhook.key, reply)
            guard fields.count == 2, let url = fields[0].string, let since = fields[1].string.flatMap({ Int($0) })
            else { continue }
            failing.append(
                FailingWebhook(workspaceID: webhook.workspace, webhookID: webhook.id, url: url, failingSince: since))
        }
        return Array(failing.sorted { $0.failingSince < $1.failingSince }.prefix(limit))
    }
}
