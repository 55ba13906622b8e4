import Redis
import Scripts

/// The meetings of a room, as the Bots API addresses them.
extension Meetings {
    /// The meeting that a room stands for, by whichever of its names: the one that has a bot there or on its way, else
    /// the last one that was held, else the newest.
    public func meeting(in room: Room, workspace: String) async throws(RedisError) -> Meeting? {
        let keys = WorkspaceKeys(workspace: workspace)
        for room in try await rooms(meantBy: room, in: keys) {
            let replies = try await session.pipeline(
                [keys.holder(room), keys.held(room), keys.latest(room)].map { Command("GET", $0) })
            if let holder = try replies[0].optionalString() {
                return try await meeting(id: holder, workspace: workspace)
            }
            let (held, latest) = (try replies[1].optionalString(), try replies[2].optionalString())
            let found = try await meetings(ids: Set([held, latest].compactMap(\.self)), workspace: workspace)
            if let meeting = Self.lastHeld(held.flatMap { found[$0] }, newest: latest.flatMap { found[$0] }) {
                return meeting
            }
        }
        return nil
    }

    /// Nodes of the version before do not note what was held last. So it may be the newest one.
    static func lastHeld(_ held: Meeting?, newest: Meeting?) -> Meeting? {
        // What such a room noted first may be a plan, or have failed on its way.
        // No bot was in one that was cancelled before its time.
        guard let held, held.botID != nil else { return newest ?? held }
        guard let newest, newest.id != held.id, let start = newest.startTime else { return held }
        return start > held.startTime ?? 0 ? newest : held
    }

    /// Whether a meeting is one of a room's, by whichever of its names.
    public func isMeeting(_ meeting: Meeting, in room: Room) async throws(RedisError) -> Bool {
        if meeting.room == room { return true }
        let keys = WorkspaceKeys(workspace: meeting.workspaceID)
        return try await rooms(meantBy: room, in: keys).contains(meeting.room)
    }

    // MARK: Removal

    public enum Removal: Sendable {
        case removed, unknown
        /// Its bot is in the room or on its way, or its transcript is being collected; or too many others change the
        /// plans of its room.
        case busy
    }

    /// Removes a meeting's transcript and what was collected or noted about it, and keeps the bare record.
    public func removeContents(of meeting: Meeting) async throws(RedisError) -> Removal {
        let keys = WorkspaceKeys(workspace: meeting.workspaceID)
        let removal = Scripts.DeleteMeeting(
            meetingKey: keys.partition.meeting(meeting.id), segmentsKey: keys.partition.segments(ofMeeting: meeting.id),
            roomKey: keys.holder(meeting.room), workspaceKey: keys.workspace, imagesKey: keys.screenshots,
            orderKey: keys.screenshotOrder, feedKey: keys.partition.feed(ofMeeting: meeting.id), feedsKey: keys.feed,
            removalsKey: keys.partition.removals, meetingID: meeting.id)
        switch try await session.run(removal) {
        case .removed: return .removed
        case .unknownMeeting: return .unknown
        case .busy: return .busy
        }
    }

    /// Removes a planned meeting that never had a bot, with all that leads to it.
    /// - Parameter noting: what the calendar notes whose plan it is, if that has it removed.
    /// - Throws: `OccurrenceNote.notYours` too.
    public func removePlan(
        _ meeting: Meeting, noting: OccurrenceNote? = nil
    ) async throws(RedisError) -> Removal {
        let keys = WorkspaceKeys(workspace: meeting.workspaceID)
        let remains = MeetingRemains(id: meeting.id, number: meeting.number)
        for _ in 1...Self.removalAttempts {
            switch try await session.run(try await removal(ofPlan: meeting, remains, noting: noting, in: keys)) {
            case .removed:
                // Should this fail, the sweep does it.
                try? await remove(remains, in: keys.partition)
                return .removed
            case .unknownMeeting: return .unknown
            case .notPlanned: return .busy
            case .notYours: throw OccurrenceNote.notYours
            case .lookAgain: continue
            }
        }
        return .busy
    }

    private static let removalAttempts = 5

    private func removal(
        ofPlan meeting: Meeting, _ remains: MeetingRemains, noting: OccurrenceNote?, in keys: WorkspaceKeys
    ) async throws(RedisError) -> Scripts.RemovePlan {
        let (room, partition) = (meeting.room, keys.partition)
        let previous = meeting.fields["previous"]
        // As the script looks for it.
        let others = try await session.pipeline([
            Command("GET", keys.held(room)), Command("ZRANGE", keys.planned(room), "0", "1"),
        ])
        let ids = [try others[0].optionalString()] + (try others[1].arrayOrThrow().map(\.string))
        let heir = ids.compactMap { $0 }.first { $0 != meeting.id }
        return Scripts.RemovePlan(
            meetingKey: partition.meeting(meeting.id), meetingsKey: keys.meetings, latestKey: keys.latest(room),
            heldKey: keys.held(room), namesKey: keys.names, endedKey: partition.ended,
            previousKey: partition.meeting(previous ?? ""), workspaceKey: keys.workspace, plansKey: partition.plans,
            plannedKey: keys.planned(room), calendarKey: noting?.keys.calendar ?? keys.workspace,
            occurrencesKey: noting?.keys.planned ?? keys.workspace, heirKey: partition.meeting(heir ?? ""),
            dedupKey: meeting.fields[Deduplication.field].map { keys.deduplication($0) },
            meetingID: meeting.id, previousID: previous, note: remains.member, room: room.description,
            plan: keys.member(meeting.id), leaseEnd: noting?.leaseEnd, occurrence: noting?.occurrence,
            entry: noting?.entry, heirID: heir)
    }
}
