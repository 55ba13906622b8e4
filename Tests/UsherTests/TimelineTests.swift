import Redis
import Scripts
import Testing

@testable import Usher

/// What a meeting's record names of the stream that all meetings of its partition share.
@Suite struct TimelineTests {
    private func meeting(_ world: World) async throws -> Meeting {
        let new = NewMeeting(link: try MeetingLink(url: "https://meet.google.com/abc-defg-hij"))
        return try #require(try await world.session.meetings.create(new, by: world.owner).made)
    }

    private func timeline(_ meeting: Meeting, _ world: World) async throws -> Timeline {
        let found = try await world.session.meetings.meeting(id: meeting.id, workspace: world.workspaceID)
        return try await world.session.meetings.timeline(of: try #require(found))
    }

    @Test func theEventsOfAMeetingAreItsOwnAndInOrder() async throws {
        try await World.make { world in
            let (one, other) = (try await meeting(world), try await meeting(world))
            for meeting in [one, other] {
                let found = try await timeline(meeting, world)
                #expect(found.events.map(\.what) == ["created"])
                #expect(found.events.map(\.meetingID) == [meeting.id])
                #expect(found.forgotten == 0)
            }
            // The record names an entry of another meeting, one that was trimmed, and what is none.
            let key = Partition(workspace: world.workspaceID).meeting(one.id)
            let theirs = try #require(try await timeline(other, world).events.first?.id)
            let own = try #require(try await timeline(one, world).events.first?.id)
            _ = try await world.session.send(Command("HSET", key, "events", "\(own) \(theirs) 1-1 + - x "))
            let found = try await timeline(one, world)
            #expect(found.events.map(\.id) == [own])
            #expect(found.forgotten == 2)
        }
    }

    @Test func aRecordNamesAboutAHundredOfItsEvents() async throws {
        try await World.make { world in
            let many = (1...101).map { "\(1_795_864_692_000 + $0)-0 " }.joined()
            let id = try await world.meeting(["events": many])
            _ = try await world.dispatch(id, bot: "bot-1")
            let key = world.keys.partition.meeting(id)
            let kept = try await world.session.send(Command("HGET", key, "events")).stringOrThrow()
            let newest = try #require(try await world.snapshot()[world.keys.partition.events]?.stream?.last?["<id>"])
            // Whole ones, the newest among them.
            #expect(many.contains(kept.prefix(16)) && kept.hasSuffix(" \(newest) "))
            #expect(kept.utf8.count < 1_600)
            #expect(kept.split(separator: " ").allSatisfy { $0.utf8.count >= 15 && $0.contains("-") })
        }
    }
}
