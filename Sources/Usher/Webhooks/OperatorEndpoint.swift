import Redis
import Scripts

/// Where whoever runs the service is told what happens in all workspaces: a setting, not a record. To each workspace it
/// is one more webhook, with events that wait and a history of its own there; so they take turns, and no workspace takes
/// another's places. What all of a partition's share is the hash `usher:{pX}:operator`.
public struct OperatorEndpoint: Sendable {
    public let url: String
    public let secret: String?
    /// Those that are chosen; nil for all.
    public let events: Set<Webhook.Event>?

    public init(url: String, secret: String?, events: Set<Webhook.Event>?) {
        self.url = url
        self.secret = secret
        self.events = events
    }
}

/// Those who are told of a partition's changes by lists of their own: what one of them holds up holds up no other's.
public enum DeliveryQueue: CaseIterable, Sendable {
    case webhooks
    case operatorEndpoint

    /// zset: when something is due (ms) -> `<workspace_id> <webhook_id>`.
    func key(in partition: Partition) -> String {
        switch self {
        case .webhooks: partition.deliveries
        case .operatorEndpoint: partition.operatorDeliveries
        }
    }

    /// - Parameter member: as the sorted set has it of a webhook that has something to be told.
    /// - Returns: its workspace and its id; nil if it is not one of ours.
    func webhook(_ member: String, in partition: Partition) -> (workspace: String, id: String)? {
        let parts = member.split(separator: " ").map(String.init)
        guard parts.count == 2, Partition(workspace: parts[0]) == partition else { return nil }
        let isOurs = self == .webhooks ? Webhook.isID(parts[1]) : parts[1] == Webhook.operatorID
        return isOurs ? (parts[0], parts[1]) : nil
    }
}

extension Webhook {
    /// What the operator's endpoint has in place of an id.
    public static let operatorID = WebhookKeys.operatorID

    public var isOperators: Bool { id == Self.operatorID }

    /// The operator's endpoint, as the webhook of a workspace that it is.
    /// - Parameters:
    ///   - record: the hash; empty if there is none, and then it is nil.
    ///   - endpoint: where it is told, for a node that knows.
    init?(_ record: [String: String], operatorEndpoint endpoint: OperatorEndpoint?, workspace: String) {
        guard !record.isEmpty else { return nil }
        let own = ["id": Self.operatorID, "url": endpoint?.url ?? "", "secret": endpoint?.secret ?? ""]
        self.init(record.merging(own) { $1 }, workspace: workspace)
    }
}

extension Deliveries {
    /// For how long the operator's endpoint is known of where no node says so any more: a day, since runners record what
    /// happens also while there is no node.
    private static let operatorMilliseconds = 86_400_000

    /// Says in all partitions that there is an operator's endpoint. From then on changes are recorded for it.
    /// - Parameter took: how long ago it took an event, as far as this node knows: failures before that are over, in all
    ///   partitions.
    /// - Returns: why not in all: where a part of a Cluster is away, the others go on.
    /// - Throws: a failure if in none.
    public func keep(
        _ endpoint: OperatorEndpoint, tookMilliseconds took: Int?
    ) async throws(RedisError) -> RedisError? {
        let problems = await atOnce(Partition.all) { [session] partition throws(RedisError) in
            _ = try await session.run(
                Scripts.KeepOperator(
                    operatorKey: partition.operatorEndpoint, events: Webhook.text(endpoint.events),
                    keepMilliseconds: Self.operatorMilliseconds, tookMilliseconds: took))
        }.failures
        if let problem = problems.first, problems.count == Partition.all.count { throw problem }
        return problems.first
    }

    /// The hash of the operator's endpoint; empty if there is none, or another hand spoilt it.
    func operatorRecord(in partition: Partition) async throws(RedisError) -> [String: String] {
        let key = partition.operatorEndpoint
        guard let reply = try await session.replies(to: [Command("HGETALL", key)]).first else { return [:] }
        return try session.oddRecords.leavingOut(key, reply) { reply throws(RedisError) in try reply.hash() } ?? [:]
    }

    /// What the operator's endpoint is to a workspace; nil if there is none.
    public func operatorWebhook(of workspace: String) async throws(RedisError) -> Webhook? {
        Webhook(
            try await operatorRecord(in: Partition(workspace: workspace)), operatorEndpoint: nil, workspace: workspace)
    }
}
