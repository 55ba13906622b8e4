import Redis
import RedisTestSupport
import TestTurns
import Testing

@testable import Usher

@Suite(.takesTurns) struct MeetingListTests {
    @Test func pagesAreOfTheNewestFirst() async throws {
        try await World.make { world in
            var ids: [String] = []
            for index in 0..<7 {
                let status = index % 3 == 0 ? "OFFLINE" : "INITIAL"
                ids.insert(try await world.meeting(["status": status]), at: 0)
            }
            func page(_ status: MeetingStatus?, _ offset: Int, _ limit: Int) async throws -> ([String], Bool) {
                let page = try await Self.page(world, status, offset: offset, limit: limit)
                return (page.meetings.map(\.id), page.hasMore)
            }
            #expect(try await page(nil, 0, 7) == (ids, false))
            #expect(try await page(nil, 0, 6) == (Array(ids[..<6]), true))
            #expect(try await page(nil, 5, 2) == (Array(ids[5...]), false))
            #expect(try await page(nil, 7, 2) == ([], false))
            let offline = [ids[0], ids[3], ids[6]]
            #expect(try await page(.offline, 0, 10) == (offline, false))
            #expect(try await page(.offline, 0, 3) == (offline, false))
            #expect(try await page(.offline, 0, 2) == (Array(offline[..<2]), true))
            #expect(try await page(.offline, 1, 1) == ([offline[1]], true))
            #expect(try await page(.offline, 2, 1) == ([offline[2]], false))
            #expect(try await page(.offline, 3, 1) == ([], false))
            #expect(try await page(.live, 0, 1) == ([], false))
        }
    }

    private static func page(
        _ world: World, _ status: MeetingStatus?, offset: Int, limit: Int
    ) async throws -> (meetings: [Meeting], hasMore: Bool) {
        var conditions = MeetingConditions()
        conditions.status = status
        var walk = MeetingWalk(
            in: world.session, workspace: world.workspaceID, conditions: conditions, from: nil, offset: offset)
        var meetings: [Meeting] = []
        while meetings.count < limit {
            let batch = try await walk.read(count: limit - meetings.count, bytes: 10_000)
            if batch.isEmpty { break }
            meetings += batch
        }
        return (meetings, try await walk.next() != nil)
    }

    /// More than the batch in which a list by status looks through a workspace.
    @Test func aStatusIsFoundBehindManyOthers() async throws {
        try await World.make { world in
            let oldest = try await world.meeting(["status": "LIVE"])
            let second = try await world.meeting(["status": "LIVE"])
            let template = try await world.snapshot()[world.keys.partition.meeting(oldest)]?.hash ?? [:]
            for number in 0..<1_100 {
                let fields = template.merging(["id": "m\(number)", "status": "INITIAL"]) { $1 }
                try await world.set(world.keys.partition.meeting("m\(number)"), fields)
                _ = try await world.client.send("ZADD", world.keys.meetings, String(1_000 + number), "m\(number)")
            }
            let page = try await Self.page(world, .live, offset: 1, limit: 5)
            #expect(page.meetings.map(\.id) == [oldest] && !page.hasMore)
            let first = try await Self.page(world, .live, offset: 0, limit: 1)
            #expect(first.meetings.map(\.id) == [second] && first.hasMore)
            let many = try await Self.page(world, .initial, offset: 1_095, limit: 10)
            #expect(many.meetings.map(\.id) == ["m4", "m3", "m2", "m1", "m0"] && !many.hasMore)
        }
    }

    @Test func aMeetingIsShownToItsWorkspaceOnly() async throws {
        try await World.make { world in
            let id = try await world.meeting()
            let (other, _) = try await world.session.users.create(NewUser(email: "b@example.com"))
            #expect(try await world.session.meetings.meeting(id: id, workspace: world.workspaceID) != nil)
            #expect(try await world.session.meetings.meeting(id: id, workspace: other.workspaceID) == nil)
            #expect(try await world.session.meetings.workspaceID(ofMeeting: id) == world.workspaceID)
            #expect(try await world.session.meetings.workspaceID(ofMeeting: "none") == nil)
        }
    }

    @Test func theKeysOfARecordAreReadyToPaste() async throws {
        try await World.make { world in
            let id = try await world.meeting()
            _ = await world.reinvite(id)
            let snapshot = try await world.snapshot()
            for record in [id, world.workspaceID] {
                let keys = try #require(try await world.session.installation.keys(ofRecord: record))
                #expect(keys.allSatisfy { snapshot[$0.key] != nil && $0.command.contains("'\($0.key)'") })
                #expect(Set(keys.map(\.key)).count == keys.count)
            }
            let meeting = try #require(try await world.session.installation.keys(ofRecord: id)).map(\.key)
            for key in [Keys.locator(meeting: id), world.keys.inFlight(World.room), world.keys.holder(World.room)] {
                #expect(meeting.contains(key))
            }
            #expect(try await world.session.installation.keys(ofRecord: "none") == nil)

            // By whatever else the meeting is known.
            let installation = world.session.installation
            let record = try #require(
                try await world.session.meetings.meeting(id: id, workspace: world.workspaceID))
            let link = try MeetingLink(platform: World.room.platform, nativeID: World.room.nativeID)
            let bot = try #require(record.botID)
            for keys in [
                try await installation.keys(ofRecord: bot), try await installation.keys(ofNumber: record.number),
                try await installation.keys(ofRoom: link, in: world.workspaceID),
                try await installation.keys(ofRoom: link, in: nil),
            ] { #expect(keys?.map(\.key) == meeting) }
            #expect(try await installation.keys(ofNumber: record.number + 1_000) == nil)
            #expect(try await installation.keys(ofRecord: Identifier.uuid()) == nil)
            let other = try MeetingLink(platform: .googleMeet, nativeID: "zzz-zzzz-zzz")
            #expect(try await installation.keys(ofRoom: other, in: nil) == nil)
            #expect(try await installation.keys(ofRoom: link, in: "none") == nil)
        }
    }

    @Test func pagesOfBotsGoOnWhereTheLastOneEnded() async throws {
        try await World.make { world in
            let key = world.keys.bots
            var ids: [String] = []
            for number in 0..<5 {
                let room = Room(platform: .zoom, nativeID: "1000000000\(number)")
                let link = try MeetingLink(platform: room.platform, nativeID: room.nativeID)
                let (meeting, _) = try await world.session.bots.request(
                    BotRequest(link: link), by: world.owner, trace: World.trace)
                ids.append(try #require(meeting.botID))
            }
            // Three at one moment, in the order of their ids, and one that is no bot any more among them.
            let (early, same, late) = (ids[0], ids[1...3].sorted(), ids[4])
            let gone = Identifier.uuid()
            for (time, id) in [(1_000, early)] + same.map({ (2_000, $0) }) + [(2_000, gone), (3_000, late)] {
                _ = try await world.client.send("ZADD", key, String(time), id)
            }
            for limit in 1...6 {
                var (seen, cursor, pages) = ([String](), BotCursor?.none, 0)
                repeat {
                    let (page, next) = try await world.session.bots.page(
                        ofWorkspace: world.workspaceID, from: cursor, limit: limit)
                    #expect(page.count <= limit)
                    seen += page.map(\.botID)
                    cursor = try next.map { try #require(BotCursor($0.description)) }
                    pages += 1
                } while cursor != nil && pages < 10
                #expect(seen == [early] + same + [late])
            }
            // Who has ended does not shift the rest.
            let (_, next) = try await world.session.bots.page(ofWorkspace: world.workspaceID, from: nil, limit: 2)
            _ = try await world.client.send("ZREM", key, early)
            let rest = try await world.session.bots.page(ofWorkspace: world.workspaceID, from: next, limit: 9)
            #expect(rest.page.map(\.botID) == same.dropFirst() + [late] && rest.next == nil)
            for text in ["", "5", "5_x", "-5_\(late)", "5_\(late)_", "x_\(late)"] { #expect(BotCursor(text) == nil) }
        }
    }
}
