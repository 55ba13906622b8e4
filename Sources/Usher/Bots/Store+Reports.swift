import EventLoop
import Redis
import Scripts

/// A bot's report of its status (docs/bot-wire.md, "Reports").
public struct BotReport: Sendable {
    public var status: BotStatus
    public var completionReason: String?
    public var failureStage: String?
    /// For the record, if the report is the bot's last: `exit_code`, `error_details`, `bot_output`.
    public var fields: [String: String]

    public init(
        status: BotStatus, completionReason: String? = nil, failureStage: String? = nil, fields: [String: String] = [:]
    ) {
        self.status = status
        self.completionReason = completionReason
        self.failureStage = failureStage
        self.fields = fields
    }
}

public enum ReportOutcome: Equatable, Sendable {
    case taken(status: String, botStatus: String)
    /// It was told before.
    case known(status: String, botStatus: String)
    case illegal(from: String, to: String)
    /// The bot is not the meeting's current one, or has ended.
    case stale
}

extension Store {
    /// The place of the bot that has this id and secret; nil if there is none, or the secret is another's.
    public func authenticate(
        bot id: String, secret: String, deadline: MonotonicTime
    ) async throws(RedisError) -> BotPlace? {
        guard let partition = Partition(bot: id) else { return nil }
        let stored = try await send(Command("HGET", partition.bot(id), "secret"), by: deadline).optionalString()
        guard let stored, Digest.areEqual(stored, Digest.sha256(secret)) else { return nil }
        return try await place(ofBot: id, deadline: deadline)
    }

    /// Takes in the report of a bot whose secret was checked.
    public func report(
        _ report: BotReport, from place: BotPlace, deadline: MonotonicTime
    ) async throws(RedisError) -> ReportOutcome {
        let reply = try await run(
            Scripts.Report.script, keys: place.reportKeys,
            arguments: [
                place.botID, place.meetingID, report.status.rawValue, report.completionReason ?? "",
                report.failureStage ?? "", String(configuration.endedBotTimeToLiveMilliseconds),
                String(configuration.maximumEvents),
            ] + report.fields.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] },
            // What was told before may still not be on a replica.
            isChange: { ($0.array?.first?.integer ?? -1) >= 0 }, by: deadline
        ).arrayOrThrow()
        func text(_ index: Int) throws(RedisError) -> String {
            guard index < reply.count else { throw .unexpectedReply("report returned \(reply)") }
            return try reply[index].stringOrThrow()
        }
        switch reply.first {
        case .integer(1):
            let status = try text(1)
            if reply.count == 4, let age = reply[3].integer { metrics.dispatchToLive.record(milliseconds: age) }
            if status == MeetingStatus.analyzing.rawValue {
                // Should this node stop here, or Redis fail, the sweep does it.
                _ = try? await finalise(meeting: place.meetingID, workspace: place.workspaceID, deadline: deadline)
            }
            return .taken(status: status, botStatus: try text(2))
        case .integer(0): return .known(status: try text(1), botStatus: try text(2))
        case .integer(-1): return .illegal(from: try text(1), to: try text(2))
        case .integer(-2): return .stale
        default: throw .unexpectedReply("report returned \(reply)")
        }
    }
}
