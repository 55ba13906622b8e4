import Log
import Redis
import RedisTestSupport
import Scripts
import TestTurns
import Testing

@testable import Usher

extension World {
    private var removal: WorkspaceRemovals { WorkspaceRemovals(store: store, logger: Logger(minimum: .error)) }

    /// Goes on with the removal of the workspace, as if it was removed long ago, or a moment ago.
    func goOn(isLate: Bool = true) async throws {
        _ = try await client.send("ZADD", keys.partition.removing, "XX", "1", workspaceID)
        if isLate { _ = try await client.send("ZADD", keys.partition.removed, "XX", "1", workspaceID) }
        try await removal.removeAll(session)
    }
}

extension Snapshot {
    /// The keys that name a workspace, or hold something that does.
    fileprivate func keys(naming workspace: String) -> Set<String> {
        Set(stored.filter { $0.key.contains(workspace) || $0.value.description.contains(workspace) }.keys)
    }
}

/// `remove_workspace.lua`, `remove_meeting.lua`, `finish_removal.lua`, and what is left of a workspace by them.
@Suite(.takesTurns) struct WorkspaceRemovalTests {
    @Test func itIsNoneAtOnce() async throws {
        try await World.make { world in
            let keys = world.keys
            let planned = try await world.meeting(["scheduled_at": String(try await world.now())])
            _ = try await world.client.send("ZADD", keys.partition.plans, "1", keys.member(planned))
            let before = try await world.snapshot()
            #expect(try await world.session.workspaces.remove(workspace: world.workspaceID))
            let after = try await world.snapshot()
            #expect(
                after.changes(since: before) == [
                    keys.workspace, keys.members, keys.lock, keys.partition.removing, keys.partition.removed,
                    Keys.workspaces,
                ])
            #expect(after[keys.workspace] == nil && after[keys.members] == nil)
            try await world.expectNoChange { () async throws in
                #expect(try await world.session.workspaces.remove(workspace: world.workspaceID))
                #expect(try await !world.session.workspaces.remove(workspace: Identifier.uuid()))
            }
            // What was admitted before makes nothing any more.
            let plan = try #require(Plan(keys.member(planned)))
            #expect(try await world.session.meetings.sendPlanned(plan, trace: World.trace) == .served)
            try await world.expectNoChange { () async throws in
                #expect(try await world.dispatch(planned, bot: "b", lock: nil) == .parts("not_yours"))
                let request = try await world.request("new", bot: "b", number: 99, latest: "")
                #expect(request == .parts("unknown_workspace"))
                let calendar = try await world.session.calendars.create(
                    CalendarChange(name: "Work", url: "https://a.example/"), of: world.owner.userID,
                    workspace: world.workspaceID)
                #expect(calendar == .failure(.unknownMember))
                let webhook = try await world.session.webhooks.create(
                    WebhookChange(url: "https://a.example/"), workspace: world.workspaceID)
                #expect(webhook == .failure(.unknownWorkspace))
                let member = try await world.session.workspaces.setMember(
                    workspace: world.workspaceID, user: 1, role: .owner)
                guard case .unknownWorkspace = member else { throw TestServerError("\(member)") }
            }
            await #expect(throws: RedisError.self) {
                _ = try await world.session.users.create(NewUser(email: "owner@example.com"))
            }
        }
    }

    /// Whatever state its meetings are in; and nothing of another workspace.
    @Test func nothingIsLeft() async throws {
        try await World.make { world in
            let (keys, session) = (world.keys, world.session)
            let (stranger, _) = try await session.users.create(NewUser(email: "other@example.com"))
            let other = WorkspaceKeys(workspace: stranger.workspaceID)
            _ = try await session.apiKeys.create(
                NewAPIKey(workspaceID: world.workspaceID, userID: stranger.id, scopes: [.bots]))
            _ = try await session.webhooks.create(
                WebhookChange(url: "https://a.example/", isEnabled: true), workspace: world.workspaceID)
            for nativeID in ["fir-stro-oms", "sec-ondr-oom"] {
                let room = Room(platform: .googleMeet, nativeID: nativeID)
                let meeting = try await world.meeting(in: room)
                _ = try await world.request(
                    meeting, bot: Identifier.bot(in: keys.partition), number: nil, latest: meeting, in: room)
            }
            let ended = try await world.bot(at: .active)
            _ = try await world.ingest(one("s1", "Hello"), for: ended.meetingID)
            _ = try await world.report(ended, "completed", reason: "left_alone")
            _ = try await session.meetings.create(
                NewMeeting(
                    link: try MeetingLink(platform: .teams, nativeID: "123456789012"),
                    scheduledAt: try await world.now() + 3_600_000, deduplicationKey: "k"), by: world.owner)
            _ = try await session.calendars.create(
                CalendarChange(name: "Work", url: "https://a.example/"), of: world.owner.userID,
                workspace: world.workspaceID)
            _ = try await session.deliveries.fileOutboxes(node: "n") { change, event, _ in change.eventID(event) }
            // Of a meeting that is lost to all but the list, and of one that is none.
            _ = try await world.client.send("ZADD", keys.meetings, "77", "lost", "78", "odd")
            _ = try await world.client.send("SET", keys.partition.meeting("odd"), world.workspaceID)
            let untouched = try await world.snapshot().keys(naming: other.id)
            #expect(try await session.workspaces.remove(workspace: world.workspaceID))
            // No runner has claimed its bots: they have ended, and meetings are next.
            try await world.goOn(isLate: false)
            try await world.goOn(isLate: false)
            let user = Keys.user(try #require(Int(world.owner.userID)))
            let left = try await world.snapshot()
            #expect(left[keys.partition.removing] != nil)
            try await world.goOn()
            let gone = try await world.snapshot()
            #expect(gone.keys(naming: world.workspaceID) == [keys.partition.removed, user])
            #expect(gone.keys(naming: other.id) == untouched)
            #expect(gone[keys.partition.plans] == nil && gone[keys.partition.ended] == nil)
            #expect(try await !session.workspaces.remove(workspace: world.workspaceID))
            // A runner that was away finds that there is nobody for what its bot recorded.
            let recording = try #require(RecordingPlace(ended))
            #expect(try await session.recordings.note(recording, bytes: 44) == .unknownMeeting)
        }
    }

    /// Of requests that were under way; a key that is being made is waited for.
    @Test func whatComesLateGoesToo() async throws {
        try await World.make { world in
            let (keys, session) = (world.keys, world.session)
            #expect(try await session.workspaces.remove(workspace: world.workspaceID))
            try await world.goOn(isLate: false)
            // A request writes there that knew the workspace.
            try await world.set(keys.workspace, ["max_bytes": "1"])
            let made = try await session.apiKeys.create(
                NewAPIKey(workspaceID: world.workspaceID, userID: 1, scopes: [.bots]))
            let key = try #require(made.made).key
            _ = try await world.client.send("HSET", keys.apiKeys, "half", "hash")
            _ = try await world.client.send("SET", Keys.apiKeyMaking(id: "half"), "1")
            try await world.goOn()
            #expect(try await world.client.send("HGETALL", keys.apiKeys).hash() == ["half": "hash"])
            _ = try await world.client.send("DEL", Keys.apiKeyMaking(id: "half"))
            try await world.goOn()
            let user = Keys.user(try #require(Int(world.owner.userID)))
            #expect(try await world.snapshot().keys(naming: world.workspaceID) == [keys.partition.removed, user])
            #expect(try await session.callers.caller(apiKey: key) == nil)
        }
    }

    /// A bot whose record another hand has spoilt.
    @Test func theOthersLeaveWhereOneBotIsOdd() async throws {
        try await World.make { world in
            let place = try await world.bot(at: .active)
            let odd = Identifier.bot(in: world.keys.partition)
            _ = try await world.client.send("ZADD", world.keys.bots, "1", odd)
            _ = try await world.client.send("SET", world.keys.partition.bot(odd), "x")
            #expect(try await world.session.workspaces.remove(workspace: world.workspaceID))
            try await world.goOn()
            #expect(try await world.fields(place.meetingID)["status"] == "STOPPING")
        }
    }

    /// Of one that was removed before the clock was set back.
    @Test func itEndsByTheClockAsItIs() async throws {
        try await World.make { world in
            let partition = world.keys.partition
            #expect(try await world.session.workspaces.remove(workspace: world.workspaceID))
            let ahead = String(try await world.now() + 3_600_000)
            _ = try await world.client.send("ZADD", partition.removed, ahead, world.workspaceID)
            try await world.goOn(isLate: false)
            let latest = try await world.now() + Workspaces.lateMilliseconds
            let due = try #require(try await world.snapshot()[partition.removing]?.sortedSet?[world.workspaceID])
            #expect(try #require(Int(due)) <= latest)
            let earliest = try await world.now()
            try await world.goOn()
            let snapshot = try await world.snapshot()
            #expect(snapshot[partition.removing] == nil)
            // That it is gone is noted with its time.
            let gone = try #require(snapshot[partition.removed]?.sortedSet?[world.workspaceID])
            #expect(try #require(Int(gone)) >= earliest)
            // Another node comes to its end with an old list.
            let keys = world.keys
            let finish = Scripts.FinishRemoval(
                workspaceKey: keys.workspace, membersKey: keys.members, keysKey: keys.apiKeys,
                webhooksKey: keys.webhooks, botsKey: keys.bots, meetingsKey: keys.meetings, lockKey: keys.lock,
                namesKey: keys.names, imagesKey: keys.screenshots, orderKey: keys.screenshotOrder,
                feedsKey: keys.feed, removingKey: partition.removing, removedKey: partition.removed,
                workspaceID: world.workspaceID, lateMilliseconds: Workspaces.lateMilliseconds)
            try await world.expectNoChange { () async throws in
                #expect(try await world.run(finish) == .string("removed"))
            }
        }
    }

    @Test func aUserWhoseRemovalStoppedHalfWayIsFoundAgain() async throws {
        try await World.make { world in
            let (session, keys) = (world.session, world.keys)
            let (user, _) = try await session.users.create(NewUser(email: "other@example.com"))
            _ = try await session.workspaces.setMember(workspace: world.workspaceID, user: user.id, role: .owner)
            let made = try await session.apiKeys.create(
                NewAPIKey(workspaceID: world.workspaceID, userID: user.id, scopes: [.bots]))
            let key = try #require(made.made)
            _ = try await world.client.send("SET", keys.apiKeys, "x")
            await #expect(throws: RedisError.self) { _ = try await session.users.remove(user: user.id) }
            _ = try await world.client.send("DEL", keys.apiKeys)
            try await world.set(keys.apiKeys, [key.record.id: Digest.sha256(key.key)])
            guard case .removed = try await session.users.remove(user: user.id) else {
                throw TestServerError("the user is there")
            }
            #expect(try await session.callers.caller(apiKey: key.key) == nil)
            #expect(try await !session.workspaces.isMember(workspace: world.workspaceID, user: user.id))
        }
    }

    /// And then for what may come late.
    @Test func itWaitsForItsBots() async throws {
        try await World.make { world in
            let keys = world.keys
            let place = try await world.bot(at: .active)
            #expect(try await world.session.workspaces.remove(workspace: world.workspaceID))
            try await world.goOn()
            #expect(try await world.fields(place.meetingID)["status"] == "STOPPING")
            let removal = Scripts.RemoveMeeting(
                meetingKey: keys.partition.meeting(place.meetingID),
                segmentsKey: keys.partition.segments(ofMeeting: place.meetingID),
                feedKey: keys.partition.feed(ofMeeting: place.meetingID), botsKey: keys.bots,
                meetingsKey: keys.meetings, plansKey: keys.partition.plans, analyzingKey: keys.partition.analyzing,
                endedKey: keys.partition.ended, archivedKey: keys.partition.archived,
                movingKey: keys.partition.moving, removalsKey: keys.partition.removals, meetingID: place.meetingID,
                plan: "")
            try await world.expectNoChange { () async throws in
                #expect(try await world.run(removal) == .string("busy"))
            }
            _ = try await world.report(place, "completed", reason: "stopped")
            try await world.set(keys.partition.meeting(place.meetingID), ["archived": "abc 0 0 0 0 0"])
            let now = try await world.now()
            _ = try await world.client.send("ZADD", keys.partition.removed, String(now), world.workspaceID)
            try await world.goOn(isLate: false)
            let snapshot = try await world.snapshot()
            #expect(snapshot[keys.meetings] == nil && snapshot[keys.partition.analyzing] == nil)
            let objects = snapshot[keys.partition.removals]?.sortedSet?.keys.sorted()
            #expect(objects == ["\(world.workspaceID)/\(place.meetingID)-abc"])
            let due = try #require(snapshot[keys.partition.removing]?.sortedSet?[world.workspaceID])
            #expect(due == String(now + Workspaces.lateMilliseconds))
        }
    }
}
