import EventLoop
import Log
import Redis
import RedisTestSupport
import TestTurns
import Testing

@testable import Usher

/// Requests that come again with the idempotency key of a first one: the same answer, and nothing done twice.
@Suite(.takesTurns) struct IdempotencyTests {
    private static let key = IdempotencyKey("8e03978e-40d5-43dd-bc93-6894a57f9324")
    private static let otherKey = IdempotencyKey("\"clkyoesmbgybucifusbbtdsbohtyuuwz\"")

    @Test func aKeyIsVisibleASCIIAndNotTooLong() {
        for good in ["1", "\"a\"", String(repeating: "~", count: 255)] { #expect(IdempotencyKey(good)?.text == good) }
        for bad in ["", " ", "a b", "a\tb", "ä", String(repeating: "a", count: 256)] {
            #expect(IdempotencyKey(bad) == nil, "\(bad)")
        }
    }

    /// Nothing is changed by `body`, but that what tells of a request may live on from now.
    private static func expectNoChange(
        _ world: World, sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
    ) async throws {
        let before = try await world.snapshot()
        try await body()
        #expect(try await world.snapshot().changes(since: before) == [], sourceLocation: sourceLocation)
    }

    // MARK: The Re-invite API

    @Test(arguments: [("INITIAL", false), ("OFFLINE", true)])
    func aDispatchIsAnsweredAgain(_ row: (status: String, force: Bool)) async throws {
        try await World.make { world in
            let meeting = try await world.meeting(["status": row.status])
            let first = try await world.reinvite(meeting, force: row.force, key: Self.key).get()
            #expect(!first.isRepeated)
            let after = try await world.snapshot()
            let noted = after.stored.keys.filter { $0.contains(":request:") }
            #expect(noted.count == 1 && (1...600_000).contains(after.timeToLive[noted[0]] ?? 0))

            // Whatever has become of the meeting.
            for status in ["INITIAL", "LIVE", "STOPPING", "ANALYZING", "OFFLINE", "PAUSED"] {
                try await world.set(world.keys.partition.meeting(meeting), ["status": status])
                let before = try await world.snapshot()
                let again = try await world.reinvite(meeting, force: row.force, key: Self.key).get()
                #expect(again.isRepeated && again.botID == first.botID && again.epoch == first.epoch)
                #expect(again.dispatchedAt == first.dispatchedAt && again.isRestart == row.force)
                #expect(try await world.snapshot().changes(since: before) == [], "\(status)")
            }
            try await world.set(world.keys.partition.meeting(meeting), ["status": "INITIAL"])
            for key in [nil, Self.otherKey] {
                let other = await world.reinvite(meeting, force: row.force, key: key)
                #expect(other.refusal == .inFlight(holder: nil))
            }
        }
    }

    /// A key is its caller's own, counts for one meeting, and for nobody who may no longer send a bot.
    @Test func aKeyIsNoOtherRequests() async throws {
        try await World.make { world in
            let meeting = try await world.meeting()
            let elsewhere = try await world.meeting(in: Room(platform: .googleMeet, nativeID: "xyz-abcd-efg"))
            let manager = try await world.caller(.manager)
            let first = try await world.reinvite(meeting, by: manager, key: Self.key).get()
            #expect(await world.reinvite(meeting, key: Self.key).refusal == .inFlight(holder: nil))
            let other = try await world.reinvite(elsewhere, by: manager, key: Self.key).get()
            #expect(!other.isRepeated && other.botID != first.botID)
            _ = try await world.session.workspaces.setMember(
                workspace: world.workspaceID, user: try #require(Int(manager.userID)), role: .viewer)
            #expect(await world.reinvite(meeting, by: manager, key: Self.key).refusal == .roleTooLow)
        }
    }

    @Test func aRefusalIsNotKept() async throws {
        try await World.make { world in
            let meeting = try await world.meeting(["status": "STOPPING"])
            #expect(
                await world.reinvite(meeting, key: Self.key).refusal == .stopping(status: .stopping, holder: nil))
            #expect(try await world.snapshot().stored.keys.allSatisfy { !$0.contains(":request:") })
            try await world.set(world.keys.partition.meeting(meeting), ["status": "INITIAL"])
            #expect(try await world.reinvite(meeting, key: Self.key).get().isRepeated == false)
        }
    }

    /// A node that stood still between its look and its script, while the same request was done by another node and the
    /// bot's whole life went by.
    @Test func aScriptThatComesLateChangesNothing() async throws {
        try await World.make { world in
            let note = world.keys.request(.reinvite, of: "m", by: "1", try #require(Self.key))
            let meeting = try await world.meeting()
            let first = try await world.dispatch(meeting, bot: "bot-1", request: note).arrayOrThrow()
            #expect(first[0] == .string("accepted"))
            for key in [world.keys.inFlight(World.room), world.keys.holder(World.room)] {
                _ = try await world.client.send("DEL", key)
            }
            let before = try await world.snapshot()
            let late = try await world.dispatch(meeting, bot: "bot-2", request: note).arrayOrThrow()
            #expect(late.first == .string("repeated"))
            let at = try first[1].integerOrThrow()
            #expect(late.last == .string("bot-1 \(at) 1 INITIAL"))
            // And the lock was given back.
            #expect(try await world.snapshot().changes(since: before) == [])

            let botNote = world.keys.request(.bot, of: "room", by: "1", try #require(Self.key))
            let made = try await world.request("m7", bot: "bot-7", number: 70, latest: meeting, key: botNote)
            #expect(try made.arrayOrThrow().first == .string("accepted"))
            try await Self.expectNoChange(world) {
                let again = try await world.request("m8", bot: "bot-8", number: 80, latest: "m7", key: botNote)
                #expect(again == .parts("repeated", "m7"))
            }
        }
    }

    @Test func ofManyAtOnceAllGetTheSameAnswer() async throws {
        for _ in 0..<5 {
            try await World.make { world in
                let meeting = try await world.meeting()
                let dispatches = try await withThrowingTaskGroup(of: Dispatch.self) { group in
                    for _ in 0..<8 {
                        group.addTask(executorPreference: world.client.loop) {
                            var result = await world.reinvite(meeting, key: Self.key)
                            while result.refusal == .locked { result = await world.reinvite(meeting, key: Self.key) }
                            return try result.get()
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(Set(dispatches.map(\.botID)).count == 1)
                #expect(dispatches.count { !$0.isRepeated } == 1)
                #expect(try await world.snapshot()[world.keys.partition.dispatch]?.stream?.count == 1)
            }
        }
    }

    // MARK: The Bots API

    private static func send(
        _ world: World, key: IdempotencyKey?, to room: Room = World.room
    ) async throws -> (meeting: Meeting, isRepeated: Bool) {
        let link = try MeetingLink(platform: room.platform, nativeID: room.nativeID)
        return try await world.session.bots.request(
            BotRequest(link: link), by: world.owner, idempotencyKey: key, trace: World.trace)
    }

    private static func stop(_ world: World, key: IdempotencyKey?) async throws -> (stop: Bots.Stop, place: BotPlace) {
        try await world.session.bots.stop(in: World.room, by: world.owner, idempotencyKey: key)
    }

    @Test func aBotIsSentOnce() async throws {
        try await World.make { world in
            try await world.set(world.keys.workspace, ["max_concurrent_bots": "1"])
            let first = try await Self.send(world, key: Self.key)
            #expect(!first.isRepeated)
            try await Self.expectNoChange(world) {
                let again = try await Self.send(world, key: Self.key)
                #expect(again.isRepeated && again.meeting.id == first.meeting.id)
                await #expect(throws: BotRefusal.roomTaken(holder: first.meeting.id)) {
                    try await Self.send(world, key: Self.otherKey)
                }
            }
            // Even when it has left, and another one could be sent.
            _ = try await Self.stop(world, key: nil)
            try await Self.expectNoChange(world) {
                let again = try await Self.send(world, key: Self.key)
                #expect(again.isRepeated && again.meeting.botID == first.meeting.botID)
                #expect(again.meeting.botStatus == "completed")
            }
            let next = try await Self.send(world, key: Self.otherKey)
            #expect(!next.isRepeated && next.meeting.botID != first.meeting.botID)
        }
    }

    @Test func aStopNeverMeetsALaterBot() async throws {
        try await World.make { world in
            let first = try await Self.send(world, key: nil)
            let (stop, place) = try await Self.stop(world, key: Self.key)
            #expect(stop == .ended && place.botID == first.meeting.botID)
            try await Self.expectNoChange(world) {
                let again = try await Self.stop(world, key: Self.key)
                #expect(again.stop == .ended && again.place == place)
                await #expect(throws: BotRefusal.noBot) { try await Self.stop(world, key: nil) }
            }
            let next = try await Self.send(world, key: nil)
            try await Self.expectNoChange(world) {
                let again = try await Self.stop(world, key: Self.key)
                #expect(again.place == place)
            }
            #expect(try await Self.stop(world, key: Self.otherKey).place.botID == next.meeting.botID)
        }
    }

    /// Told to leave, and told before: what the first of the requests was answered.
    @Test func aStopOfABotThatRunsIsAnsweredAgain() async throws {
        try await World.make { world in
            let place = try await world.bot(at: .active)
            #expect(try await Self.stop(world, key: Self.key).stop == .leaving)
            #expect(try await Self.stop(world, key: Self.otherKey).stop == .wasLeaving)
            for hasEnded in [false, true] {
                if hasEnded { try await world.tell(place, [.completed]) }
                #expect(try await Self.stop(world, key: Self.key).stop == .leaving)
                #expect(try await Self.stop(world, key: Self.otherKey).stop == .wasLeaving)
            }
            await #expect(throws: BotRefusal.noBot) { try await Self.stop(world, key: nil) }
        }
    }

    @Test func aMeetingIsMadeOnce() async throws {
        try await World.make { world in
            let link = try MeetingLink(platform: World.room.platform, nativeID: World.room.nativeID)
            func make(_ key: IdempotencyKey?) async throws -> Meeting {
                try #require(
                    try await world.session.meetings.create(
                        NewMeeting(link: link), by: world.owner, idempotencyKey: key
                    ).made)
            }
            let first = try await make(Self.key)
            let before = try await world.snapshot()
            let again = try await make(Self.key)
            #expect(again.id == first.id && again.number == first.number)
            // A number is spent, and nothing bears it.
            #expect(try await world.snapshot().changes(since: before) == [Keys.meetingSequence])
            #expect(try await make(Self.otherKey).id != first.id)
            #expect(try await make(nil).id != first.id)
        }
    }

    /// What is left by another hand under a request's key is no answer.
    @Test func whatCannotBeReadIsAnError() async throws {
        try await World.make { world in
            let meeting = try await world.meeting()
            let key = try #require(Self.key)
            let room = World.room.description
            for (kind, object) in [(RepeatableRequest.reinvite, meeting), (.bot, room), (.stop, room)] {
                _ = try await world.client.send("SET", world.keys.request(kind, of: object, by: "1", key), "what")
            }
            #expect(
                await world.reinvite(meeting, key: key).refusal
                    == .unavailable(.unexpectedReply("an earlier request left what")))
            await #expect(throws: BotRefusal.failed(.unexpectedReply("the meeting what of an earlier request is gone")))
            {
                try await Self.send(world, key: key)
            }
            await #expect(throws: BotRefusal.failed(.unexpectedReply("an earlier request left what"))) {
                try await Self.stop(world, key: key)
            }
        }
    }

    // MARK: Replicas

    /// What a first request did may be lost while no replica has it: whoever asks again is not told that it is done.
    @Test(.timeLimit(.minutes(14))) func anEarlierAnswerIsGivenOnceReplicasHaveIt() async throws {
        var options = RedisServer.Options()
        options.listensOnPort = true
        options.arguments = ["--repl-diskless-sync-delay", "0"]
        let primary = try RedisServer(options)
        options.listensOnPort = false
        options.arguments = ["--replicaof", "127.0.0.1 \(primary.port!)"]
        let replica = try RedisServer(options)
        try await waitFor("the replica has its data") {
            try replica.ask("INFO replication").contains("master_link_status:up")
        }
        try await World.make(on: primary) { world in
            var configuration = ClientConfiguration(url: primary.url, name: "changes", scripts: Store.scripts)
            configuration.replicaWait = ReplicaWait(replicas: 1, milliseconds: 50)
            // No test may take a loaded machine for a stuck Redis.
            configuration.silenceLimitMilliseconds = 60_000
            let changing = Client(
                loop: world.client.loop, configuration: configuration, logger: Logger(minimum: .error))
            changing.start()
            defer { changing.shutDown() }
            try await changing.waitUntilConnected()
            let store = Store(client: world.client, changing: changing, configuration: World.patient)
            let link = try MeetingLink(platform: World.room.platform, nativeID: World.room.nativeID)
            func ask() async throws(BotRefusal) -> Bool {
                try await store.session(until: Client.soon).bots.request(
                    BotRequest(link: link), by: world.owner, idempotencyKey: Self.key, trace: World.trace
                ).isRepeated
            }
            // The replica may be slow to confirm the first one too.
            while (try? await ask()) == nil { await world.client.loop.wait(milliseconds: 5) }
            replica.pause()
            for _ in 0..<3 {
                await #expect(throws: BotRefusal.failed(.notReplicated(replicas: 0))) { _ = try await ask() }
            }
            replica.resume()
            while (try? await ask()) != true { await world.client.loop.wait(milliseconds: 5) }
        }
    }
}
