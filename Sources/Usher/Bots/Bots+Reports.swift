import Redis
import Scripts

/// A bot's report of its status (docs/bot-wire.md, "Reports").
public struct BotReport: Sendable {
    public var status: BotStatus
    public var completionReason: String?
    public var failureStage: String?
    /// For the record, if the report is the bot's last: `exit_code`, `error_details`, `bot_output`.
    public var fields: [String: String]
    /// Of the page, where it shows what a person should see.
    public var screenshot: Screenshot?

    public init(
        status: BotStatus, completionReason: String? = nil, failureStage: String? = nil, fields: [String: String] = [:],
        screenshot: Screenshot? = nil
    ) {
        self.status = status
        self.completionReason = completionReason
        self.failureStage = failureStage
        self.fields = fields
        self.screenshot = screenshot
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

extension Bots {
    /// The place of the bot that has this id and secret; nil if there is none, or the secret is another's.
    public func authenticate(bot id: String, secret: String) async throws(RedisError) -> BotPlace? {
        guard let partition = Partition(bot: id) else { return nil }
        let stored = try await session.send(Command("HGET", partition.bot(id), "secret")).optionalString()
        guard let stored, Digest.areEqual(stored, Digest.sha256(secret)) else { return nil }
        return try await place(ofBot: id)
    }

    /// Takes in the report of a bot whose secret was checked.
    public func report(_ report: BotReport, from place: BotPlace) async throws(RedisError) -> ReportOutcome {
        let outcome = try await take(report, from: place)
        if case .taken = outcome, let screenshot = report.screenshot {
            // What the report says counts without it.
            _ = try? await keep(screenshot, of: place)
        }
        return outcome
    }

    private func take(_ report: BotReport, from place: BotPlace) async throws(RedisError) -> ReportOutcome {
        let call = Scripts.Report(
            life: place.life, heldKey: WorkspaceKeys(workspace: place.workspaceID).held(place.room),
            botID: place.botID, meetingID: place.meetingID, step: report.status.rawValue,
            reason: report.completionReason, stage: report.failureStage,
            keepMilliseconds: session.configuration.endedBotTimeToLiveMilliseconds,
            maxEvents: session.configuration.maximumEvents,
            fields: report.fields.inOrder)
        switch try await session.run(call) {
        case .accepted(let status, let botStatus, let age):
            if let age { session.store.metrics.dispatchToLive.record(milliseconds: age) }
            if status == MeetingStatus.analyzing.rawValue {
                // Should this node stop here, or Redis fail, the sweep does it.
                _ = try? await session.transcripts.finalise(meeting: place.meetingID, workspace: place.workspaceID)
            }
            return .taken(status: status, botStatus: botStatus)
        case .known(let status, let botStatus): return .known(status: status, botStatus: botStatus)
        case .illegal(let from, let to): return .illegal(from: from, to: to)
        case .stale: return .stale
        }
    }
}
