import Redis
import Scripts

/// An event that a node has taken to deliver it.
public struct ClaimedDelivery: Sendable {
    public let webhook: Webhook
    public let eventID: String
    /// Until then (ms) no other node takes it.
    let leaseEnd: String
    /// How many attempts there were since it was filed, or filed again.
    public let tries: Int
    public let body: String
}

/// What came of an attempt to deliver an event.
public enum DeliveryOutcome: Equatable, Sendable {
    case delivered
    /// It is tried again after so many milliseconds.
    case retry(afterMilliseconds: Int)
    case failed
    /// The receiver says that it is there no more.
    case gone
}

/// What webhooks are told of.
public struct Deliveries: Sendable {
    let session: Session

    /// For how long a webhook may fail before it is disabled.
    private static let failingMilliseconds = 5 * 86_400_000
    /// A node that has taken an event has this long: longer than any attempt.
    private static let deliveryLeaseMilliseconds = 60_000
    /// How many webhooks of a partition are looked at in one go. Those that have been looked at come last.
    public static let webhooksPerRead = 100
    private static let turnMilliseconds = 100
    /// The same of one that cannot be told more before an answer comes, which brings it forward. Hundreds that hang are not
    /// to be looked at ten times a second.
    private static let busyTurnMilliseconds = 1_000
    /// How long one is left alone whose keys another hand has spoilt.
    private static let oddMilliseconds = 60_000
    private static let broughtForwardAtOnce = 10_000
    /// Of a webhook, by one script: more would hold up everybody else.
    private static let eventsBroughtForwardAtOnce = 500

    /// Those that have something due, each as its workspace and id.
    /// - Parameter count: how many of a partition, at most.
    public func due(
        in queue: DeliveryQueue, count: Int = webhooksPerRead
    ) async throws(RedisError) -> [(workspace: String, id: String)] {
        let now = try await session.time()
        let pages = try await session.repliesOfPartitions {
            Command("ZRANGEBYSCORE", queue.key(in: $0), "-inf", String(now), "LIMIT", "0", String(count))
        }
        var due: [(workspace: String, id: String)] = []
        for (partition, page) in pages {
            let key = queue.key(in: partition)
            for member in try session.oddRecords.list(key, page).compactMap(\.string) {
                guard let webhook = queue.webhook(member, in: partition) else {
                    // Not one of ours: it would stand at the head for ever.
                    _ = try await session.send(Command("ZREM", key, member))
                    continue
                }
                due.append(webhook)
            }
        }
        return due
    }

    /// Takes events that are due for a webhook.
    /// - Parameters:
    ///   - count: how many at most. With none, the others come first for a moment.
    ///   - failingCount: how many at most of one whose last delivery failed.
    ///   - isWaiting: whether it is an answer of this webhook that has to come first.
    ///   - endpoint: the operator's, which the record of its webhook does not tell.
    public func claim(
        workspace: String, webhook id: String, count: Int, failingCount: Int, isWaiting: Bool = false,
        operatorEndpoint endpoint: OperatorEndpoint? = nil
    ) async throws(RedisError) -> [ClaimedDelivery] {
        let own = WorkspaceKeys(workspace: workspace).webhook(id)
        let reply: Scripts.ClaimDeliveries.Reply
        do throws(RedisError) {
            reply = try await session.run(
                Scripts.ClaimDeliveries(
                    pendingKey: own.pending, webhookKey: own.webhook, dueKey: own.due,
                    historyKey: own.events, member: own.member, leaseMilliseconds: Self.deliveryLeaseMilliseconds,
                    most: count, mostFailing: failingCount,
                    turnMilliseconds: isWaiting ? Self.busyTurnMilliseconds : Self.turnMilliseconds))
        } catch .refused(let text) where text.contains("WRONGTYPE") {
            // It must not stand at the head for ever.
            session.oddRecords.note(
                "A webhook cannot be told: one of its keys is odd", ["webhook_id": id, "reason": text])
            let now = try await session.time()
            let later = String(now.addingClamped(Self.oddMilliseconds))
            _ = try await session.send(Command("ZADD", own.pending, later, own.member))
            return []
        }
        guard case .claimed(let fields, let events) = reply else { return [] }
        let webhook =
            id == Webhook.operatorID
            ? Webhook(fields, operatorEndpoint: endpoint, workspace: workspace)
            : Webhook(fields, workspace: workspace)
        guard let webhook else { return [] }
        var claimed: [ClaimedDelivery] = []
        for event in events {
            let parts = try event.arrayOrThrow()
            guard parts.count == 4 else { throw .unexpectedReply("claim_deliveries returned \(parts.count) parts") }
            claimed.append(
                ClaimedDelivery(
                    webhook: webhook, eventID: try parts[0].stringOrThrow(), leaseEnd: try parts[1].stringOrThrow(),
                    tries: parts[2].string.flatMap { Int($0) } ?? 0, body: try parts[3].stringOrThrow()))
        }
        return claimed
    }

    /// Brings forward what waits to be told in a partition whose clock was set back by so many milliseconds: it would wait
    /// until the clock has caught up. Safe to repeat: it is told earlier then.
    /// - Returns: whether all of it was looked at.
    func bringForward(in partition: Partition, by back: Int) async throws(RedisError) -> Bool {
        var isAll = true
        for queue in DeliveryQueue.allCases {
            isAll = try await bringForward(queue, in: partition, by: back) && isAll
        }
        return isAll
    }

    private func bringForward(
        _ queue: DeliveryQueue, in partition: Partition, by back: Int
    ) async throws(RedisError) -> Bool {
        let key = queue.key(in: partition)
        let last = try await session.send(Command("ZREVRANGE", key, "0", String(Self.broughtForwardAtOnce - 1)))
        let members = try session.oddRecords.list(key, last).compactMap(\.string)
        for member in members {
            guard let (workspace, id) = queue.webhook(member, in: partition) else { continue }
            do throws(RedisError) {
                var from = 0
                repeat {
                    from = try await session.run(
                        Scripts.BringForward(
                            pendingKey: key,
                            dueKey: WorkspaceKeys(workspace: workspace).webhook(id).due, member: member,
                            backMilliseconds: back, leaseMilliseconds: Self.deliveryLeaseMilliseconds,
                            fromMilliseconds: from, most: Self.eventsBroughtForwardAtOnce))
                } while from > 0
            } catch .refused(let text) {
                session.oddRecords.note(
                    "What waits to be told to a webhook waits on: one of its keys is odd",
                    ["webhook_id": id, "reason": text])
            }
        }
        return members.count < Self.broughtForwardAtOnce
    }

    public typealias Settlement = Scripts.SettleDelivery.Reply

    /// Notes what came of an attempt.
    /// - Parameters:
    ///   - attempt: for the history, one line.
    ///   - answer: what was kept of the answer.
    public func settle(
        _ delivery: ClaimedDelivery, _ outcome: DeliveryOutcome, attempt: String, answer: String
    ) async throws(RedisError) -> Settlement {
        let webhook = delivery.webhook
        let own = WorkspaceKeys(workspace: webhook.workspaceID).webhook(webhook.id)
        let (word, delay) =
            switch outcome {
            case .delivered: ("delivered", 0)
            case .retry(let milliseconds): ("retry", milliseconds)
            case .failed: ("failed", 0)
            // What a setting asks for only the setting can take back.
            case .gone: (webhook.isOperators ? "failed" : "gone", 0)
            }
        return try await session.run(
            Scripts.SettleDelivery(
                pendingKey: own.pending, webhookKey: own.webhook, dueKey: own.due, historyKey: own.events,
                doneKey: own.done, member: own.member, eventID: delivery.eventID,
                leaseEnd: delivery.leaseEnd, outcome: word, pauseMilliseconds: delay, attempt: attempt, answer: answer,
                failingMilliseconds: webhook.isOperators ? .max : Self.failingMilliseconds,
                mostHistory: webhook.isOperators ? Self.operatorHistoryEvents : Self.historyEvents,
                keepMilliseconds: Self.historyMilliseconds))
    }

    public typealias Redelivery = Scripts.Redeliver.Reply

    /// Lets an event be delivered once more, from the first attempt on.
    public func redeliver(
        _ event: String, webhook id: String, workspace: String
    ) async throws(RedisError) -> Redelivery {
        // The history's hash has other fields of it, too.
        guard Webhook.isEventID(event) else { return .unknownEvent }
        let own = WorkspaceKeys(workspace: workspace).webhook(id)
        return try await session.run(
            Scripts.Redeliver(
                pendingKey: own.pending, webhookKey: own.webhook, dueKey: own.due, historyKey: own.events,
                doneKey: own.done, member: own.member, eventID: event, keepMilliseconds: Self.historyMilliseconds))
    }
}

extension Session {
    public var deliveries: Deliveries { Deliveries(session: self) }
}
