import EventLoop
import Redis
import RedisTestSupport
import Scripts
import TestTurns
import Testing

@testable import Usher

/// A room and its other names, in `request_bot.lua`, `create_meeting.lua` and `purge_meeting.lua`, and through the store.
@Suite(.takesTurns) struct RoomNamesScriptTests {
    private static let thread = Room(platform: .teams, nativeID: "19:meeting_ABC@thread.v2")
    private static let number = Room(platform: .teams, nativeID: "389141384648269")
    private static let url = "https://teams.microsoft.com/l/meetup-join/19%3ameeting_ABC%40thread.v2/0?context=%7b%7d"

    private static func link(_ reference: MeetingReference) throws -> MeetingLink { try reference.link() }

    private static func byThread() throws -> MeetingLink { try link(MeetingReference(url: url)) }
    private static func byNumber() throws -> MeetingLink {
        try link(MeetingReference(platform: .teams, nativeID: number.nativeID, passcode: "p"))
    }
    private static func byBoth() throws -> MeetingLink {
        try link(MeetingReference(url: url, nativeID: number.nativeID, passcode: "p"))
    }
    private static func byDigest() throws -> MeetingLink {
        try link(MeetingReference(url: url, nativeID: "0f1e2d3c4b5a6978"))
    }

    private static func send(_ link: MeetingLink, _ world: World) async throws -> Result<Meeting, BotRefusal> {
        do throws(BotRefusal) {
            return .success(
                try await world.session.bots.request(BotRequest(link: link), by: world.owner, trace: World.trace)
                    .meeting)
        } catch {
            return .failure(error)
        }
    }

    // MARK: The script

    @Test func namesAreNotedWithTheBot() async throws {
        try await World.make { world in
            let before = try await world.snapshot()
            let reply = try await world.request(
                "m1", bot: "b1", number: 7, latest: "", in: Self.thread, others: [Self.number],
                names: " \(Self.number) teams:0f1e2d3c4b5a6978")
            #expect(reply.array?.first == .string("accepted"))
            let after = try await world.snapshot()
            #expect(
                after[world.keys.names]
                    == .hash([
                        Self.number.description: Self.thread.description,
                        "teams:0f1e2d3c4b5a6978": Self.thread.description,
                    ]))
            #expect(after.changes(since: before).contains(world.keys.names))
            #expect(after[world.keys.holder(Self.number)] == nil && after[world.keys.holder(Self.thread)] != nil)
        }
    }

    @Test func forgottenNamesLeadNowhere() async throws {
        try await World.make { world in
            try await world.set(world.keys.names, ["teams:old": Self.thread.description, "teams:kept": "teams:x"])
            let reply = try await world.request(
                "m1", bot: "b1", number: 7, latest: "", in: Self.thread, names: " \(Self.number)",
                forgotten: " teams:old")
            #expect(reply.array?.first == .string("accepted"))
            #expect(
                try await world.snapshot()[world.keys.names]
                    == .hash([Self.number.description: Self.thread.description, "teams:kept": "teams:x"]))
        }
    }

    @Test(arguments: 0..<2)
    func aBotUnderAnotherNameIsInTheWay(_ place: Int) async throws {
        try await World.make { world in
            var others = (0..<2).map { Room(platform: .teams, nativeID: String(100_000 + $0)) }
            others[place] = Self.number
            _ = try await world.client.send("SET", world.keys.holder(Self.number), "other")
            try await world.expectNoChange { () async throws in
                let reply = try await world.request(
                    "m1", bot: "b1", number: 7, latest: "", in: Self.thread, others: others, names: " \(Self.number)")
                #expect(reply == .parts("in_flight", "other"))
            }
        }
    }

    /// Another request made it one in the meantime.
    @Test func aRoomThatHasBecomeANameIsLookedAtAgain() async throws {
        try await World.make { world in
            try await world.set(world.keys.names, [Self.number.description: Self.thread.description])
            try await world.expectNoChange { () async throws in
                let reply = try await world.request("m1", bot: "b1", number: 7, latest: "", in: Self.number)
                #expect(reply == .parts("look_again"))
            }
        }
    }

    /// Of a room of the version before, which did not note what was held.
    @Test func whatWasThereBeforeAPlanCountsAsHeld() async throws {
        try await World.make { world in
            let older = try await world.meeting()
            #expect(try await world.snapshot()[world.keys.held(World.room)] == nil)
            let newer = try await world.meeting()
            let after = try await world.snapshot()
            #expect(after[world.keys.held(World.room)] == .string(older))
            #expect(try await world.fields(newer)["previous"] == older)
            // Not a second time.
            _ = try await world.meeting()
            #expect(try await world.snapshot()[world.keys.held(World.room)] == .string(older))
        }
    }

    // MARK: Through the store

    /// Whatever it is called first, and whatever second: one bot.
    @Test func oneBotWhateverTheRoomIsCalled() async throws {
        let names = [try Self.byThread(), try Self.byNumber(), try Self.byBoth(), try Self.byDigest()]
        for first in names {
            for second in names {
                // Nothing says yet that the two are the same.
                let areStrangers =
                    first.room != second.room && first.otherNames != [second.room] && second.otherNames != [first.room]
                if areStrangers { continue }
                try await World.make { world in
                    let meeting = try await Self.send(first, world).get()
                    let before = try await world.snapshot()
                    let refusal = try await Self.send(second, world)
                    #expect(throws: BotRefusal.roomTaken(holder: meeting.id)) { try refusal.get() }
                    // A number that was spent is no record.
                    #expect(
                        try await world.snapshot().changes(since: before).subtracting([Keys.meetingSequence]) == [],
                        "\(first.room) \(second.room)")
                }
            }
        }
    }

    @Test func ofManyAtOnceByDifferentNamesOneSucceeds() async throws {
        for _ in 0..<10 {
            try await World.make { world in
                // Known before: else a number and a thread that nobody said together are two.
                _ = try await world.session.meetings.create(NewMeeting(link: try Self.byBoth()), by: world.owner)
                let links = [try Self.byThread(), try Self.byNumber(), try Self.byBoth(), try Self.byDigest()]
                let results = await withTaskGroup(of: Bool.self) { group in
                    for link in links + links {
                        group.addTask(executorPreference: world.client.loop) {
                            (try? await Self.send(link, world).get()) != nil
                        }
                    }
                    return await group.reduce(into: []) { $0.append($1) }
                }
                #expect(results.count { $0 } == 1)
                #expect(try await world.snapshot()[world.keys.bots]?.sortedSet?.count == 1)
            }
        }
    }

    /// Even those that are not known to be the same before: whoever says both finds the other's bot.
    @Test func theNumberFirstAndThenBothAtOnce() async throws {
        for _ in 0..<10 {
            try await World.make { world in
                let links = [try Self.byNumber(), try Self.byBoth(), try Self.byNumber(), try Self.byBoth()]
                let made = await withTaskGroup(of: Bool.self) { group in
                    for link in links {
                        group.addTask(executorPreference: world.client.loop) {
                            (try? await Self.send(link, world).get()) != nil
                        }
                    }
                    return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
                }
                #expect(made == 1)
            }
        }
    }

    @Test func aMeetingIsFoundByEachOfItsNames() async throws {
        try await World.make { world in
            let meeting = try await Self.send(try Self.byBoth(), world).get()
            #expect(meeting.room == Self.thread)
            for room in [Self.thread, Self.number] {
                let found = try await world.session.meetings.meeting(in: room, workspace: world.workspaceID)
                #expect(found?.id == meeting.id)
                let holder = try await world.session.bots.holder(of: room, workspace: world.workspaceID)
                #expect(holder?.id == meeting.id)
                #expect(try await world.session.meetings.isMeeting(meeting, in: room))
            }
            // The next one, by the thread alone, has the number still.
            _ = try await world.session.bots.stop(in: Self.number, by: world.owner)
            let next = try await Self.send(try Self.byThread(), world).get()
            #expect(next.id != meeting.id && next.fields["names"] == " \(Self.number)")
            _ = try await world.session.bots.stop(in: Self.number, by: world.owner)
            let third = try await Self.send(try Self.byNumber(), world).get()
            #expect(third.room == Self.thread && third.url == "https://teams.live.com/meet/\(Self.number.nativeID)?p=p")
        }
    }

    /// One that was there before the number became a name of the thread.
    @Test func aMeetingUnderTheNumberIsStillFound() async throws {
        try await World.make { world in
            let older = try await Self.send(try Self.byNumber(), world).get()
            _ = try await world.session.meetings.create(NewMeeting(link: try Self.byBoth()), by: world.owner)
            for link in [try Self.byThread(), try Self.byNumber(), try Self.byBoth()] {
                let refusal = try await Self.send(link, world)
                #expect(throws: BotRefusal.roomTaken(holder: older.id)) { try refusal.get() }
            }
            #expect(try await world.session.meetings.isMeeting(older, in: Self.number))
            _ = try await world.session.bots.stop(in: Self.number, by: world.owner)
            #expect(try await Self.send(try Self.byNumber(), world).get().room == Self.thread)
        }
    }

    /// Each spelling of a link makes another digest.
    @Test func namesHaveABound() async throws {
        try await World.make { world in
            for index in 0..<12 {
                let digest = "abcdef0000000\(100 + index)"
                let link = try Self.link(MeetingReference(url: Self.url, nativeID: digest))
                let meeting = try await Self.send(link, world).get()
                #expect(meeting.fields["names"]?.hasPrefix(" teams:\(digest)") == true)
                _ = try await world.session.bots.stop(in: Room(platform: .teams, nativeID: digest), by: world.owner)
            }
            let names = try #require(try await world.snapshot()[world.keys.names]?.hash)
            #expect(names.count == RoomNames.maximum)
            #expect(names.keys.contains("teams:abcdef0000000111") && !names.keys.contains("teams:abcdef0000000100"))
        }
    }
}
