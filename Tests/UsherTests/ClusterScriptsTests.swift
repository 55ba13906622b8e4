import EventLoop
import Log
import Redis
import RedisTestSupport
import Scripts
import TestTurns
import Testing

@testable import Usher

/// Every script on a Redis Cluster: none touches two slots, or a key that it was not given (docs/architecture.md,
/// "Keys").
@Suite(.takesTurns, .timeLimit(.minutes(14))) struct ClusterScriptsTests {
    /// Subcommands come before the key.
    static let containers: Set = ["XINFO", "XGROUP"]
    static let keyless: Set = ["INFO"]

    @Test func everyScriptKeepsToTheKeysItWasGiven() async throws {
        let cluster = try await RedisCluster.start(primaries: 3)
        let monitors = try cluster.primaries.map { try CommandMonitor($0) }
        try await World.make(at: cluster.url) { world in
            try await Self.runEveryScript(world)
            var names: [String: String] = [:]
            for script in Scripts.all {
                let hash = try await world.client.send(Command("SCRIPT", "LOAD", script.text), deadline: Client.soon)
                names[try hash.stringOrThrow()] = script.name
            }
            var seen: Set<String> = []
            var touches = 0
            for monitor in monitors {
                var given: Set<String> = []
                for entry in try await monitor.entries() {
                    let words = entry.words
                    if words[0] == "EVALSHA" || words[0] == "EVAL" {
                        guard let name = names[words[1]], let count = Int(words[2]) else {
                            Issue.record("an unknown call: \(words)")
                            continue
                        }
                        seen.insert(name)
                        given = Set(words[3..<3 + count])
                        #expect(Set(given.map { HashSlot.of($0) }).count == 1, "\(name) was given \(given)")
                    } else if entry.isOfScript, words.count > 1, !Self.keyless.contains(words[0]) {
                        let first =
                            (words.firstIndex(of: "STREAMS") ?? (Self.containers.contains(words[0]) ? 1 : 0)) + 1
                        let touched = words[0] == "DEL" ? words[1...] : words[first...first]
                        touches += touched.count
                        for key in touched { #expect(given.contains(key), "\(words) touches a key that was not given") }
                    }
                }
            }
            #expect(touches > 200)
            #expect(seen == Set(Scripts.all.map(\.name)), "not run: \(Set(Scripts.all.map(\.name)).subtracting(seen))")
        }
    }

    /// A key that goes empty while its slot is on its way to another primary is that one's, and may not be touched again.
    @Test func aDeliveryIsSettledWhileItsSlotIsMoved() async throws {
        let cluster = try await RedisCluster.start(primaries: 2)
        try await World.make(at: cluster.url) { world in
            let webhook = try await world.session.webhooks.create(
                WebhookChange(url: "https://a.example/", isEnabled: true), workspace: world.workspaceID
            ).get()
            _ = try await world.stop(try await world.send(to: try await world.meeting()))
            _ = try await world.session.deliveries.fileOutboxes(node: "n") { change, event, _ in change.eventID(event) }
            let claimed = try await world.session.deliveries.claim(
                workspace: world.workspaceID, webhook: webhook, count: 10, failingCount: 1)
            let last = try #require(claimed.last)
            #expect(claimed.count > 1)
            for delivery in claimed.dropLast() {
                #expect(
                    try await world.session.deliveries.settle(delivery, .delivered, attempt: "", answer: "") == .noted)
            }
            try await Self.move(world, in: cluster) { () async throws in
                #expect(
                    try await world.session.deliveries.settle(last, .delivered, attempt: "", answer: "") == .noted)
            }
            #expect(
                try await world.client.send("ZCARD", world.keys.webhook(webhook).due) == .integer(0),
                "it is due no more")
            #expect(try await world.client.send("ZCARD", world.keys.partition.deliveries) == .integer(0))
        }
    }

    @Test func aWebhookIsDeletedAndABotStoppedWhileTheirSlotIsMoved() async throws {
        let cluster = try await RedisCluster.start(primaries: 2)
        try await World.make(at: cluster.url) { world in
            let endpoint = OperatorEndpoint(url: "https://o.example/", secret: nil, events: nil)
            #expect(try await world.session.deliveries.keep(endpoint, tookMilliseconds: nil) == nil)
            let webhook = try await world.session.webhooks.create(
                WebhookChange(url: "https://a.example/", isEnabled: true), workspace: world.workspaceID
            ).get()
            let place = try await world.send(to: try await world.meeting())
            let partition = world.keys.partition
            // Of others: a script begins on the old primary only if all of its keys are there.
            for key in [partition.leases, partition.analyzing, partition.ended] {
                _ = try await world.client.send("ZADD", key, "9000000000000", "another's")
            }
            try await Self.move(world, in: cluster) { () async throws in
                #expect(try await world.stop(place).array?.first == .string("ended"))
            }
            let meeting = partition.meeting(place.meetingID)
            #expect(try await world.client.send("HGET", meeting, "bot_status") == .string("completed"))
            #expect(
                try await world.client.send("EXISTS", world.keys.holder(place.room), world.keys.inFlight(place.room))
                    == .integer(0))
            #expect(try await world.client.send("XLEN", partition.dispatch) == .integer(0))

            _ = try await world.session.deliveries.fileOutboxes(node: "n") { change, event, _ in change.eventID(event) }
            let claimed = try await world.session.deliveries.claim(
                workspace: world.workspaceID, webhook: webhook, count: 1, failingCount: 1)
            _ = try await world.session.deliveries.settle(claimed[0], .delivered, attempt: "", answer: "")
            try await Self.move(world, in: cluster) { () async throws in
                #expect(try await world.session.webhooks.delete(webhook, workspace: world.workspaceID))
            }
            let left = world.keys.webhook(webhook)
            #expect(try await world.client.send("EXISTS", left.webhook, left.due) == .integer(0))
        }
    }

    /// Runs `body` while a partition's slot is on its way to another primary, and all of its keys are still there.
    private static func move(_ world: World, in cluster: RedisCluster, _ body: () async throws -> Void) async throws {
        let slot = HashSlot.of(world.keys.partition.deliveries)
        let source = slot < HashSlot.count / 2 ? 0 : 1
        let target = try cluster.primaries[1 - source].ask("CLUSTER MYID")
        try cluster.primaries[source].ask("CLUSTER SETSLOT \(slot) MIGRATING \(target)")
        try await body()
        try cluster.primaries[source].ask("CLUSTER SETSLOT \(slot) STABLE")
    }

    static func runEveryScript(_ world: World) async throws {
        let keys = world.keys
        // Users, workspaces, keys. The world has made a user with a workspace.
        _ = try await world.caller(.manager)
        let (user, _) = try await world.session.users.create(NewUser(email: "leaves@example.com"))
        _ = try await world.session.workspaces.setMember(workspace: world.workspaceID, user: user.id, role: .viewer)
        _ = try await world.session.workspaces.removeMember(workspace: world.workspaceID, user: user.id)
        let new = NewAPIKey(
            workspaceID: world.workspaceID, userID: user.id, scopes: [.seameet], label: nil, expiresAt: nil)
        let made = try #require(try await world.session.apiKeys.create(new).made)
        _ = try await world.run(Scripts.NoteUse(recordKey: Keys.apiKey(hash: Digest.sha256(made.key))))
        _ = try await world.session.apiKeys.rotate(id: made.record.id, graceMilliseconds: 1_000)

        _ = try await world.run(
            Scripts.TakeTokens(
                bucketKey: Keys.bucket(apiKeyHash: "h"), recordKey: Keys.apiKey(hash: "h"), perSecond: 1, burst: 10,
                wanted: 1))
        _ = try await world.run(
            Scripts.TakeTokens(bucketKey: Keys.bucket(IPAddress("::1")!), perSecond: 1, burst: 10, wanted: 1))

        // From here on all is told to a webhook.
        let webhook = try await world.session.webhooks.create(
            WebhookChange(url: "https://a.example/", isEnabled: true), workspace: world.workspaceID
        ).get()

        // A dispatch that nobody claims, one that is given back, and one that lives, is stopped and ends.
        let unclaimed = try await world.send(to: try await world.meeting())
        _ = try await world.expire(unclaimed.meetingID, bot: unclaimed.botID)
        _ = try await world.session.bots.removeConsumers(in: keys.partition, idleForMilliseconds: 0)
        _ = try await world.stop(unclaimed)
        let meeting = try await world.meeting()
        let place = try await world.bot(at: meeting, runner: "first")
        #expect(try await world.release(place, runner: "first") == .string("released"))
        try await world.claim(place, runner: "second")
        #expect(try await world.renew([place.botID], runner: "second").array?.first == .string("renewed"))
        try await world.tell(place, [.joining, .awaitingAdmission, .active])
        let picture = try #require(Screenshot(base64: "/9j/"))
        #expect(try await world.session.bots.keep(picture, of: place))
        #expect(try await world.configure(place, "language", "es") == .parts("configured", 1))
        _ = try await world.ingest(one("s1", "Hello"), for: meeting)
        let stream = WireNames.segmentStream
        _ = try await world.client.send("XGROUP", "CREATE", stream, "usher", "0", "MKSTREAM")
        let entry = try await world.client.send("XADD", stream, "*", "payload", "x").stringOrThrow()
        #expect(try await world.readSegments("node").map(\.id) == [entry])
        #expect(try await world.readSegments("node", after: "0").map(\.id) == [entry])
        _ = try await world.stop(place)
        _ = try await world.report(place, "completed", reason: "stopped")
        _ = try await world.session.transcripts.finalise(meeting: meeting, workspace: world.workspaceID)
        let recording = try #require(RecordingPlace(place))
        #expect(try await world.session.recordings.note(recording, bytes: 44) == .noted)

        // A bot that is lost on its way, and one of the bots API.
        let other = try await world.meeting(in: Room(platform: .googleMeet, nativeID: "xyz-xyzx-xyz"))
        let bot = Identifier.bot(in: keys.partition)
        _ = try await world.request(other, bot: bot, number: nil, latest: other)
        let lost = try await world.bot(at: try await world.meeting())
        _ = try await world.lose(lost, runner: "runner", by: Identifier.bot(in: keys.partition))

        try await Self.tell(webhook, world)

        // The record: changed, emptied, removed.
        let record = try #require(try await world.session.meetings.meeting(id: meeting, workspace: world.workspaceID))
        _ = try await world.session.meetings.update(record, fields: ["title": "Review"])
        var walk = MeetingWalk(
            in: world.session, workspace: world.workspaceID, conditions: MeetingConditions(), from: nil, offset: 0)
        _ = try await walk.read(count: 10, bytes: 100_000)
        let move = try #require(try await world.session.moves.begin(meeting, in: keys.partition, after: 0))
        let (stored, bytes) = try await world.session.moves.segments(of: move)
        #expect(try await world.session.keptObjects.keep([1, 2, 3], as: move.name))
        let moved = try await world.session.moves.letGo(
            move, MovedTranscript(stored, sessions: move.sessions), sha256: Digest.sha256(""), packedBytes: 1,
            unpackedBytes: 1, bytes: bytes)
        guard case .moved = moved else { throw TestServerError("it was not moved: \(moved)") }
        _ = try await world.session.meetings.removeContents(of: record)
        _ = try await world.session.meetings.purge(meeting, in: keys.partition)
        let plan = try #require(
            try await world.session.meetings.meeting(id: try await world.meeting(), workspace: world.workspaceID))
        #expect(try await world.session.meetings.removePlan(plan) == .removed)
        // Plans: one is sent its bot, one is cancelled.
        for (index, isSent) in [true, false].enumerated() {
            let room = Room(platform: .zoom, nativeID: "1000000000\(index)")
            let planned = try #require(
                try await world.session.meetings.create(
                    NewMeeting(
                        link: try MeetingLink(platform: room.platform, nativeID: room.nativeID),
                        scheduledAt: try await world.now()), by: world.owner
                ).made)
            var changes = PlanChanges()
            changes.title = "Weekly"
            _ = try await world.session.meetings.change(planned, changes, by: world.owner.userID)
            if isSent {
                let plan = try #require(Plan(keys.member(planned.id)))
                #expect(try await world.session.meetings.sendPlanned(plan, trace: World.trace) == .sent(epoch: 1))
            } else {
                _ = try await world.session.bots.stop(in: room, by: world.owner)
            }
        }
        try await Self.plan(world)
        try await ImportScriptTests.runAll(world)
        try await world.session.installation.beat(.nodes, id: "n", lifetime: 60_000, uptime: 0, fields: ["host": "h"])
        try await world.session.installation.endBeat(.nodes, id: "n")
        _ = try await world.run(
            Scripts.BoundLease(
                leasesKey: keys.partition.leases, botKey: keys.partition.bot("b"), botID: "b",
                longestMilliseconds: 600_000))
        try await world.session.bots.makeGroup(of: keys.partition)
        try await world.session.boundIdle(of: keys.partition.dispatch, group: Bots.runnerGroup)
        _ = try await world.run(
            Scripts.BringForward(
                pendingKey: keys.partition.deliveries, dueKey: keys.webhook("wh").due, member: "m", backMilliseconds: 1,
                leaseMilliseconds: 1, fromMilliseconds: 0, most: 1))
        try await world.session.bots.noteEnding(of: lost, runner: "runner", reason: "join_timeout")
        _ = try await world.run(Scripts.Unlock(lockKey: keys.lock, token: "nobody"))
        // A workspace that is removed.
        let owner = try #require(Int(world.owner.userID))
        let removed = try await world.session.workspaces.create(name: "W", owner: owner, maximumConcurrentBots: nil).id
        let caller = Caller(keyID: "k", workspaceID: removed, userID: world.owner.userID, scopes: [])
        let link = try MeetingLink(platform: .googleMeet, nativeID: "abc-defg-hij")
        _ = try await world.session.meetings.create(NewMeeting(link: link), by: caller)
        #expect(try await world.session.workspaces.remove(workspace: removed))
        try await WorkspaceRemovals(store: world.store, logger: Logger(minimum: .error)).removeAll(world.session)
    }

    /// A calendar, of which something is planned, moved and let go.
    static func plan(_ world: World) async throws {
        let (workspace, user) = (world.workspaceID, world.owner.userID)
        let id = try await world.session.calendars.create(
            CalendarChange(name: "Work", url: "https://a.example/"), of: user, workspace: workspace
        ).get()
        #expect(try await world.session.calendars.due(most: 600_000, places: 1, room: { _ in 1 }).map(\.id) == [id])
        let calendar = try #require(
            try await world.session.calendars.claim(workspace: workspace, id: id, most: 600_000))
        let start = try await world.now() + 3_600_000
        for (said, counts) in [([start], [1, 0, 0]), ([start + 60_000], [0, 1, 0]), ([], [0, 0, 1])] {
            let meetings = CalendarMeetings(
                meetings: try said.map { time in
                    CalendarMeeting(
                        uid: "1", recurrenceID: "", start: time, end: time + 1, title: nil,
                        link: try MeetingLink(platform: .googleMeet, nativeID: "cal-enda-rsx"))
                }, unreadable: [], hasMore: false)
            let done = try await world.session.calendars.plan(calendar, meetings, isHeld: { true })
            #expect([done.counts.created, done.counts.updated, done.counts.cancelled] == counts && done.problem == nil)
        }
        #expect(try await world.session.calendars.settle(calendar, CalendarOutcome()))
        #expect(try await world.session.calendars.remove(calendar))
    }

    /// Files what has happened, and delivers it.
    static func tell(_ webhook: String, _ world: World) async throws {
        let workspace = world.workspaceID
        let endpoint = OperatorEndpoint(url: "https://o.example/", secret: nil, events: nil)
        #expect(try await world.session.deliveries.keep(endpoint, tookMilliseconds: nil) == nil)
        let filed = try await world.session.deliveries.fileOutboxes(node: "n") { change, event, _ in
            change.eventID(event)
        }
        #expect(filed.filed > 10 && filed.dropped == 0)
        let claimed = try await world.session.deliveries.claim(
            workspace: workspace, webhook: webhook, count: 10, failingCount: 1)
        #expect(claimed.count == 10)
        let operators = try await world.session.deliveries.claim(
            workspace: workspace, webhook: Webhook.operatorID, count: 10, failingCount: 1, operatorEndpoint: endpoint)
        #expect(operators.count == 10)
        for delivery in claimed + operators {
            _ = try await world.session.deliveries.settle(delivery, .delivered, attempt: "{}", answer: "")
        }
        #expect(
            try await world.session.deliveries.redeliver(claimed[0].eventID, webhook: webhook, workspace: workspace)
                == .due)
        let change = WebhookChange(secret: "s", isEnabled: true)
        #expect(try await world.session.webhooks.change(webhook, workspace: workspace, change))
        #expect(try await world.session.webhooks.delete(webhook, workspace: workspace))
    }
}
