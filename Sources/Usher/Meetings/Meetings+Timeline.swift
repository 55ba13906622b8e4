import Redis

/// What happened to a meeting, as far as it is still known.
public struct Timeline: Sendable {
    /// The oldest first.
    public let events: [MeetingEvent]
    /// How many more there were, which the partition's stream has no room for any more.
    public let forgotten: Int
}

extension Meetings {
    /// A record names no more events (`lua/includes/events.lua`); another hand may have written more there.
    private static let maximumEventsOfMeeting = 120

    /// The changes of a meeting's status, by the ids that its record names: the stream has those of all meetings of the
    /// partition, and nobody is to wait until it is looked through.
    public func timeline(of meeting: Meeting) async throws(RedisError) -> Timeline {
        let ids = (meeting.fields["events"] ?? "").utf8.split(separator: UInt8(ascii: " "))
            .suffix(Self.maximumEventsOfMeeting).map { String(Substring($0)) }.filter(Self.isEntryID)
        guard !ids.isEmpty else { return Timeline(events: [], forgotten: 0) }
        let stream = Partition(workspace: meeting.workspaceID).events
        let replies = try await session.largeReads.turn(of: meeting.workspaceID) { () throws(RedisError) in
            try await session.replies(to: ids.map { Command("XRANGE", stream, $0, $0) })
        }
        var events: [MeetingEvent] = []
        for reply in replies {
            let entries = try session.oddRecords.list(stream, reply)
            // What another hand wrote into the record names no entries of others.
            if let event = entries.first.flatMap(MeetingEvent.init), event.meetingID == meeting.id {
                events.append(event)
            }
        }
        return Timeline(events: events, forgotten: ids.count - events.count)
    }

    /// Digits, a hyphen, digits.
    private static func isEntryID(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        return parts.count == 2
            && parts.allSatisfy { (1...20).contains($0.count) && $0.allSatisfy { (0x30...0x39).contains($0) } }
    }
}
