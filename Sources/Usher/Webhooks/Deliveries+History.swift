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

    /// What waits is read up to here: all that was filed, and once more as many as the history has, sent again.
    private static let mostRead = maximumWaiting + historyEvents
    /// How many events' times are read at once.
    private static let timesPerRead = 1_000

    /// The newest events of a webhook, by when they were filed: of those that wait and have ended up to `limit`, in no order.
    public func newest(of webhook: Webhook, limit: Int) async throws(RedisError) -> [FoundDelivery] {
        let own = WorkspaceKeys(workspace: webhook.workspaceID).webhook(webhook.id)
        let lists = [(own.due, Self.mostRead), (own.done, Self.historyEvents)]
        let replies = try await session.largeReads.turn(of: webhook.workspaceID) { () throws(RedisError) in
            try await session.pipeline(
                lists.map { Command("ZREVRANGE", $0.0, "0", String($0.1 - 1), "WITHSCORES") })
        }
        let waiting = try replies[0].hash().mapValues { Int($0) ?? 0 }
        // What ended between the two is in both.
        let ended = try replies[1].hash().filter { waiting[$0.key] == nil }.mapValues { Int($0) ?? 0 }
        // What a node of the version before has filed goes by when it is due, or ended.
        var found = waiting.map { (time: $1, delivery: (id: $0, due: $1) as FoundDelivery) }
        found += ended.map { (time: $1, delivery: (id: $0, due: nil)) }
        guard found.count > limit else { return found.map(\.delivery) }
        // Of each read no more are kept, so that none is sorted for long: between them others have their turn.
        var newest: ArraySlice<(time: Int, delivery: FoundDelivery)> = []
        for start in stride(from: 0, to: found.count, by: Self.timesPerRead) {
            var some = found[start..<min(found.count, start + Self.timesPerRead)]
            let names = some.map { "\($0.delivery.id) filed" }
            let reply = try await session.largeReads.turn(of: webhook.workspaceID) { () throws(RedisError) in
                try await session.send(Command(words: ["HMGET", own.events] + names))
            }
            for (index, value) in zip(some.indices, try reply.arrayOrThrow()) {
                if let time = value.string.flatMap({ Int($0) }) { some[index].time = time }
            }
            newest = (newest + some).sorted { $0.time > $1.time }.prefix(limit)
        }
        return newest.map(\.delivery)
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
