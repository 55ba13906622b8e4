import EventLoop
import Log
import Redis
import RedisTestSupport
import Synchronization
import TestTurns
import Testing

@testable import Usher

/// The re-invitation on a Redis of its own, which is made to fail.
@Suite(.takesTurns) struct ReinvitationFaultTests {
    @Test func forgottenScriptsReachNobody() async throws {
        try await World.make(on: try RedisServer()) { world in
            let meeting = try await world.meeting()
            _ = try await world.client.send("SCRIPT", "FLUSH")
            let dispatch = try await world.reinvite(meeting).get()
            #expect(dispatch.epoch == 1)
            #expect(try await world.snapshot()[world.keys.lock] == nil)
            _ = try await world.client.send("SCRIPT", "FLUSH")
            #expect(await world.reinvite(meeting).refusal == .inFlight(holder: nil))
        }
    }

    /// Redis refuses the lock, and so the script must not speak of another request's.
    @Test(arguments: [
        (["CONFIG", "SET", "maxmemory", "1"], ["CONFIG", "SET", "maxmemory", "0"], "OOM"),
        (["REPLICAOF", "127.0.0.1", "1"], ["REPLICAOF", "NO", "ONE"], "READONLY"),
        (
            ["CONFIG", "SET", "min-replicas-to-write", "1"], ["CONFIG", "SET", "min-replicas-to-write", "0"],
            "NOREPLICAS"
        ),
    ])
    func aRedisThatTakesNoWritesChangesNothing(_ spoil: [String], _ mend: [String], _ code: String) async throws {
        try await World.make(on: try RedisServer()) { world in
            let meeting = try await world.meeting()
            let before = try await world.snapshot()
            _ = try await world.client.send(Command(words: spoil), deadline: Client.soon)
            guard case .failed(.refused(let text))? = await world.reinvite(meeting).refusal else {
                Issue.record("not refused as failed")
                return
            }
            #expect(text.hasPrefix(code))
            // One that has become a replica is connected to anew.
            try await waitFor("Redis can be asked") { (try? await world.client.send("PING")) != nil }
            #expect(try await world.snapshot().changes(since: before) == [])
            _ = try await world.client.send(Command(words: mend), deadline: Client.soon)
            #expect(await world.reinvite(meeting).refusal == nil)
        }
    }

    /// Redis has granted the lock, and fails within the script, which has given it back by then, or refuses the script as
    /// a whole, so that the request must do so itself.
    @Test(arguments: ["bots", "holder", "dispatch", "events", "right"])
    func aScriptThatFailsGivesTheLockBack(_ what: String) async throws {
        try await World.make(on: try RedisServer()) { world in
            let meeting = try await world.meeting()
            let key =
                switch what {
                case "bots": world.keys.bots
                case "holder": world.keys.holder(World.room)
                case "dispatch": world.keys.partition.dispatch
                default: world.keys.partition.events
                }
            if what == "right" {
                // All keys of a workspace and of its meetings, and not the stream of dispatches.
                _ = try await world.client.send(
                    "ACL", "SETUSER", "default", "resetkeys", "~*:ws:*", "~*:meeting:*", "~*:bot:*", "~*:events")
            } else {
                _ = try await world.client.send("DEL", key)
                _ = try await world.client.send("SADD", key, "x")
            }
            guard case .failed(.refused(let text))? = await world.reinvite(meeting).refusal else {
                Issue.record("not refused as failed")
                return
            }
            #expect(text.contains(what == "right" ? "NOPERM" : "WRONGTYPE"))
            #expect(try await world.client.send("EXISTS", world.keys.lock) == .integer(0))
            if what == "right" {
                _ = try await world.client.send("ACL", "SETUSER", "default", "allkeys")
            } else {
                _ = try await world.client.send("DEL", key)
            }
            #expect(await world.reinvite(meeting).refusal == nil)
        }
    }

    @Test(arguments: ["members", "meeting"])
    func recordsThatCannotBeReadAreUnavailable(_ what: String) async throws {
        try await World.make { world in
            let meeting = try await world.meeting()
            let key = what == "members" ? world.keys.members : world.keys.partition.meeting(meeting)
            _ = try await world.client.send("DEL", key)
            _ = try await world.client.send("SADD", key, "x")
            guard case .unavailable(.refused)? = await world.reinvite(meeting).refusal else {
                Issue.record("not refused as unavailable")
                return
            }
            #expect(try await world.client.send("EXISTS", world.keys.lock) == .integer(0))
        }
    }

    @Test func aRedisThatIsAwayIsUnavailableAndARetryIsServed() async throws {
        var options = RedisServer.Options()
        options.isPersistent = true
        let server = try RedisServer(options)
        try await World.make(on: server) { world in
            let meeting = try await world.meeting()
            let other = try await world.meeting(in: Room(platform: .googleMeet, nativeID: "xyz-abcd-efg"))
            let accepted = try await world.reinvite(other).get()
            server.stop()
            for _ in 0..<3 {
                guard case .unavailable? = await world.reinvite(meeting).refusal else {
                    Issue.record("not refused as unavailable")
                    return
                }
            }
            try server.start()
            try await world.client.waitUntilConnected()
            #expect(await world.reinvite(meeting).refusal == nil)
            #expect(await world.reinvite(other).refusal == .inFlight(holder: nil))
            let entries = try await world.snapshot()[world.keys.partition.dispatch]?.stream
            #expect(entries?.first?["bot_id"] == accepted.botID && entries?.count == 2)
        }
    }

    /// No answer to the script comes, or too late, and so the caller cannot know which way it went; a retry makes one
    /// dispatch in any case.
    @Test(arguments: [Relay.Fate.lost, .replyLost, .held])
    func anOutcomeThatIsUnknownIsSafeToRetry(_ fate: Relay.Fate) async throws {
        let server = try RedisServer()
        // On a machine that is too slow to come as far as the script, a later deadline is tried.
        for milliseconds in fate == .held ? [300, 3_000, 30_000] : [30_000] {
            let isDone = Mutex(false)
            try await World.make(on: server) { world in
                let meeting = try await world.meeting()
                let relay = try Relay(to: server, at: "EVALSHA", fate)
                let refusal = try await world.reinvite(meeting, through: relay, milliseconds: milliseconds)
                guard relay.hasMet else {
                    _ = try await world.client.send("FLUSHDB")
                    return
                }
                isDone.withLock { $0 = true }
                #expect(refusal == .failed(fate == .held ? .deadlinePassed : .connectionLost))
                let dispatch = world.keys.partition.dispatch
                #expect(try await world.client.send("XLEN", dispatch) == .integer(fate == .replyLost ? 1 : 0))
                relay.letPass()
                if fate == .held {
                    try await waitFor("the script has run") {
                        try await world.client.send("XLEN", dispatch) == .integer(1)
                    }
                }
                var retried = await world.reinvite(meeting)
                // The connection that the lock would have been given back on may be lost too: then it ends by itself.
                for _ in 0..<400 where retried.refusal == .locked { retried = await world.reinvite(meeting) }
                #expect(retried.refusal == (fate == .lost ? nil : .inFlight(holder: nil)))
                let after = try await world.snapshot()
                let bot = try #require(after[world.keys.inFlight(World.room)]?.string)
                #expect(after[dispatch]?.stream?.map { $0["bot_id"] } == [bot])
                #expect(after[world.keys.partition.meeting(meeting)]?.hash?["bot_id"] == bot)
                #expect(after[world.keys.lock] == nil)
            }
            if isDone.withLock({ $0 }) { return }
        }
        Issue.record("no request came as far as the script")
    }
}

extension World {
    /// A re-invitation whose lock and script go through a relay, on a connection that no silence ends.
    fileprivate func reinvite(
        _ meeting: String, through relay: Relay, milliseconds: Int
    ) async throws -> ReinviteRefusal? {
        var configuration = clientConfiguration
        configuration.url = try RedisURL("redis+unix://\(relay.path)")
        configuration.silenceLimitMilliseconds = 600_000
        let changing = Client(loop: client.loop, configuration: configuration, logger: Logger(minimum: .error))
        changing.start()
        defer { changing.shutDown() }
        try await changing.waitUntilConnected()
        let store = Store(client: client, changing: changing, configuration: World.patient)
        let reinvitation = Reinvitation(
            in: store.session(milliseconds: milliseconds),
            visitor: Reinvitation.Visitor(caller: owner, meetingID: meeting),
            forceRestart: false, trace: World.trace)
        do throws(ReinviteRefusal) {
            _ = try await reinvitation.perform()
            return nil
        } catch {
            return error
        }
    }
}
