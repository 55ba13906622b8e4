import Redis

/// An event of a webhook, as its history has it.
public struct StoredDelivery: Sendable {
    public let eventID: String
    public let body: String
    /// A JSON object each, the oldest first.
    public let attempts: [String]
    /// What was kept of the last one's answer.
    public let answer: String?
    /// When the next attempt is due, or who is at it must be done (ms since 1970); nil if it was found as one that has
    /// ended. It may have ended since it was found, which its attempts tell.
    public let due: Int?
    /// Whether there was no attempt since it was last asked for.
    public let isUntried: Bool
}

extension Deliveries {
    /// How many events are read at once: each has some kilobytes.
    public static let perRead = 25

    /// An event that waits (until when, ms since 1970), or has ended.
    public typealias FoundDelivery = (id: String, due: Int?)

    /// The newest events of a webhook: of those that wait and of those that have ended up to `limit` each.
    public func newest(of webhook: Webhook, limit: Int) async throws(RedisError) -> [FoundDelivery] {
        let own = WorkspaceKeys(workspace: webhook.workspaceID).webhook(webhook.id)
        let last = String(limit - 1)
        let found = try await session.pipeline([
            Command("ZREVRANGE", own.due, "0", last, "WITHSCORES"), Command("ZREVRANGE", own.done, "0", last),
        ])
        let waiting = try found[0].hash().map { (id: $0.key, due: Int($0.value) ?? 0) as FoundDelivery }
        // What ended between the two is in both.
        let isWaiting = Set(waiting.map(\.id))
        return waiting
            + (try found[1].arrayOrThrow().compactMap(\.string)).filter { !isWaiting.contains($0) }
            .map { (id: $0, due: nil) }
    }

    /// Reads events that were found. One that is gone meanwhile is left out.
    public func contents(
        of found: ArraySlice<FoundDelivery>, for webhook: Webhook
    ) async throws(RedisError) -> [StoredDelivery] {
        let own = WorkspaceKeys(workspace: webhook.workspaceID).webhook(webhook.id)
        let replies = try await session.pipeline(
            found.map {
                Command("HMGET", own.events, $0.id, "\($0.id) attempts", "\($0.id) answer", "\($0.id) tries")
            })
        var deliveries: [StoredDelivery] = []
        for (delivery, reply) in zip(found, replies) {
            let parts = try reply.arrayOrThrow()
            guard parts.count == 4, let body = parts[0].string else { continue }
            // The oldest line is cut where there were many.
            let lines = (parts[1].string ?? "").split(separator: "\n").filter { $0.hasPrefix("{") }
            deliveries.append(
                StoredDelivery(
                    eventID: delivery.id, body: body, attempts: lines.map(String.init), answer: parts[2].string,
                    due: delivery.due, isUntried: parts[3].string == "0"))
        }
        return deliveries
    }

    /// Lets all events be delivered once more that have ended since a time.
    /// - Returns: how many.
    public func redeliverAll(of webhook: Webhook, since milliseconds: Int) async throws(RedisError) -> Int {
        let own = WorkspaceKeys(workspace: webhook.workspaceID).webhook(webhook.id)
        let ids = try await session.send(Command("ZRANGEBYSCORE", own.done, String(milliseconds), "+inf"))
            .arrayOrThrow().compactMap(\.string)
        var count = 0
        for id in ids {
            let outcome = try await redeliver(id, webhook: webhook.id, workspace: webhook.workspaceID)
            if outcome == .due { count += 1 }
        }
        return count
    }
}
