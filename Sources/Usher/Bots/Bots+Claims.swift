import Log
import Redis
import Scripts

/// An entry of a dispatch stream.
public struct DispatchEntry: Equatable, Sendable {
    public let id: String
    public let place: BotPlace
    public let epoch: Int
    /// Milliseconds since 1970.
    public let dispatchedAt: Int

    /// - Parameter reply: an entry as XREADGROUP, XAUTOCLAIM and XRANGE return it. Nil if it is not one of ours, or was
    ///   deleted.
    public init?(_ reply: Value) {
        guard let parts = reply.array, parts.count == 2, let id = parts[0].string, let fields = try? parts[1].hash(),
            let meetingID = fields["meeting_id"], let workspaceID = fields["workspace_id"],
            let botID = fields["bot_id"], let epoch = fields["epoch"].flatMap({ Int($0) }),
            let room = fields["room"].flatMap({ Room($0) }),
            let dispatchedAt = fields["dispatched_at"].flatMap({ Int($0) })
        else { return nil }
        self.id = id
        // Entries of a node that knows nothing of traces have none.
        place = BotPlace(botID: botID, meetingID: meetingID, workspaceID: workspaceID, room: room)
            .with(trace: fields["traceparent"])
        self.epoch = epoch
        self.dispatchedAt = dispatchedAt
    }
}

extension Bots {
    public enum Claim: Sendable {
        /// The trace is that of the dispatch, and the wait from that to the claim, by Redis' clock.
        case claimed(Meeting, TraceContext?, waitedMilliseconds: Int)
        /// Another runner has it, or it is no longer wanted. Its entry has been removed.
        case void
    }

    /// Claims a dispatch for a runner. Safe to ask again when the answer was lost.
    /// - Parameter writesToStream: whether the bot is told to write to the segment stream. What comes from there is not
    ///   taken for another one's.
    public func claim(
        _ entry: DispatchEntry, runner: String, secret: String, container: String, writesToStream: Bool = true
    ) async throws(RedisError) -> Claim {
        let place = entry.place
        let keys = WorkspaceKeys(workspace: place.workspaceID)
        let partition = keys.partition
        let position = writesToStream ? try await lastSegmentEntry() : nil
        let claim = Scripts.Claim(
            meetingKey: partition.meeting(place.meetingID), botKey: partition.bot(place.botID),
            inflightKey: keys.inFlight(place.room), leasesKey: partition.leases, dispatchKey: partition.dispatch,
            botID: place.botID, epoch: entry.epoch, runner: runner,
            leaseMilliseconds: session.configuration.leaseTimeToLiveMilliseconds, secret: Digest.sha256(secret),
            entry: entry.id, container: container, usesStream: writesToStream,
            position: position)
        switch try await session.run(claim) {
        case .claimed(let claimedAt, let meeting, let traceparent, let tracestate):
            return .claimed(
                try Meeting(meeting), place.with(trace: traceparent, state: tracestate).trace,
                waitedMilliseconds: claimedAt.subtractingClamped(entry.dispatchedAt))
        case .stale, .claimedBefore, .unwanted, .expired: return .void
        }
    }

    /// The id of the last entry that the segment stream has had; nil if Redis does not say.
    private func lastSegmentEntry() async throws(RedisError) -> String? {
        do throws(RedisError) {
            let about = try await session.send(Command("XINFO", "STREAM", WireNames.segmentStream)).arrayOrThrow()
            let name = about.firstIndex { $0.string == "last-generated-id" }
            return name.flatMap { about.dropFirst($0 + 1).first?.string }
        } catch {
            guard case .refused(let text) = error else { throw error }
            return text.contains("no such key") ? "0-0" : nil
        }
    }

    /// Hands a claimed bot back that was not started.
    /// - Returns: false if it is not this runner's any more, or no longer wanted.
    public func release(_ place: BotPlace, runner: String) async throws(RedisError) -> Bool {
        let partition = place.partition
        return try await session.run(
            Scripts.Release(
                meetingKey: partition.meeting(place.meetingID), botKey: partition.bot(place.botID),
                leasesKey: partition.leases, dispatchKey: partition.dispatch, botID: place.botID, runner: runner))
            == .released
    }

    /// Makes the group of runners of a partition's dispatch stream. Safe to repeat.
    public func makeGroup(of partition: Partition) async throws(RedisError) {
        try await session.makeGroup(Self.runnerGroup, of: partition.dispatch)
    }

    /// The consumer group of runners.
    public static let runnerGroup = "runners"

    /// Notes why a runner ends a bot, before it does: what the bot then reports does not tell. Safe to repeat.
    public func noteEnding(of place: BotPlace, runner: String, reason: String) async throws(RedisError) {
        _ = try await session.run(
            Scripts.NoteEnding(botKey: place.partition.bot(place.botID), runner: runner, reason: reason))
    }

    /// Removes the consumers of runners that are gone from a partition's dispatch stream. Safe to repeat.
    /// - Returns: how many.
    public func removeConsumers(
        in partition: Partition, idleForMilliseconds idle: Int
    ) async throws(RedisError) -> Int {
        try await session.removeConsumers(of: partition.dispatch, group: Self.runnerGroup, idleForMilliseconds: idle)
    }
}
