import EventLoop
import Redis
import RedisTestSupport
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

    @Test(arguments: ["bots", "holder", "dispatch", "events"])
    func aSpoiltKeyFailsAndGivesTheLockBack(_ what: String) async throws {
        try await World.make { world in
            let meeting = try await world.meeting()
            let key =
                switch what {
                case "bots": world.keys.bots
                case "holder": world.keys.holder(World.room)
                case "dispatch": world.keys.partition.dispatch
                default: world.keys.partition.events
                }
            _ = try await world.client.send("DEL", key)
            _ = try await world.client.send("SADD", key, "x")
            guard case .failed(.refused(let text))? = await world.reinvite(meeting).refusal else {
                Issue.record("not refused as failed")
                return
            }
            #expect(text.contains("WRONGTYPE"))
            #expect(try await world.client.send("EXISTS", world.keys.lock) == .integer(0))
            _ = try await world.client.send("DEL", key)
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

    /// The answer to the script comes too late: whatever became of it, a retry makes at most one dispatch of both.
    @Test func anOutcomeThatIsUnknownIsSafeToRetry() async throws {
        let server = try RedisServer()
        try await World.make(on: server) { world in
            let meeting = try await world.meeting()
            let control = try BlockingSocket(path: server.socketPath)
            // Reads are answered, so the checks pass; the lock and the script wait.
            control.write("CLIENT PAUSE 600000 WRITE\r\n")
            #expect(control.readLine() == "+OK")
            let deadline = MonotonicTime.now().advanced(byMilliseconds: 300)
            let outcome = await world.reinvite(meeting, deadline: deadline)
            switch outcome.refusal {
            case .failed(.deadlinePassed)?, .unavailable(.deadlinePassed)?: break
            default: Issue.record("the outcome is \(outcome)")
            }
            control.write("CLIENT UNPAUSE\r\n")
            #expect(control.readLine() == "+OK")
            try await world.client.waitUntilConnected()

            let retried = await world.reinvite(meeting)
            #expect(retried.refusal == nil || retried.refusal == .inFlight(holder: nil))
            let after = try await world.snapshot()
            let bot = try #require(after[world.keys.inFlight(World.room)]?.string)
            #expect(after[world.keys.partition.dispatch]?.stream?.map { $0["bot_id"] } == [bot])
            #expect(after[world.keys.partition.meeting(meeting)]?.hash?["bot_id"] == bot)
            #expect(after[world.keys.lock] == nil)
        }
    }
}
