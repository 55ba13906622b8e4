import EventLoop
import Foundation
import Redis
import RedisTestSupport
import TestTurns
import Testing

@testable import Runner
@testable import Usher

/// From a dispatch to a process, on a real Redis.
@Suite(.takesTurns) struct DispatchTests {
    private static let sleeper = "exec sleep 600"

    @Test func aDispatchBecomesAProcessWithItsConfiguration() async throws {
        try await RunnerFixture.use { fixture in
            let script =
                "printf '%s' \"$VEXA_BOT_CONFIG\" >\(fixture.folder.path)/$1.part && "
                + "mv \(fixture.folder.path)/$1.part \(fixture.folder.path)/$1 && echo $2 $3 && exec sleep 600"
            let runner = try fixture.start(script)
            let meeting = try await fixture.request(language: "zh")
            let id = try #require(meeting.botID)
            try await fixture.wait("the bot runs") { !fixture.text(id).isEmpty }
            let json = try JSONSerialization.jsonObject(with: Data(fixture.text(id).utf8))
            let object = try #require(json as? [String: Any])
            #expect(object["connectionId"] as? String == id)
            #expect(object["meeting_id"] as? Int == meeting.number)
            #expect(object["language"] as? String == "zh")
            #expect(object["container_name"] as? String == "usher-\(id)")
            let redis = try #require(object["redisUrl"] as? String)
            #expect(redis.hasPrefix("redis://usher-bot-\(id):") && redis.hasSuffix("@redis:6379/0"))
            #expect(object["meetingApiCallbackUrl"] as? String == "http://nodes:8080/internal/bots/\(id)/status")
            let bot = try await fixture.bot(meeting)
            #expect(bot["runner"] == runner.id)
            #expect(bot["secret"] == Digest.sha256(try #require(object["internalSecret"] as? String)))
            #expect(try await fixture.record(meeting).fields["bot_container_id"] == "usher-\(id)")
            #expect(try await fixture.waiting() == 0)
        }
    }

    @Test func aFullRunnerLeavesDispatchesToOthers() async throws {
        try await RunnerFixture.use { fixture in
            let first = try fixture.start(capacity: 2, Self.sleeper)
            let meetings = try await fixture.requests(9)
            try await fixture.wait("it has two bots and holds no other dispatch") {
                let pending = try await fixture.pending()
                return first.bots.count == 2 && (pending[first.id] ?? 0) == 0
            }
            #expect(try await fixture.waiting() == 7)
            let second = try fixture.start(capacity: 40, Self.sleeper)
            for meeting in meetings { try await fixture.waitUntilClaimed(meeting) }
            #expect(first.bots.count == 2)
            try await fixture.wait("the others are its") { second.bots.count == 7 }
            try await fixture.wait("no dispatch is left") { try await fixture.waiting() == 0 }
        }
    }

    @Test func aPlaceThatGetsFreeIsUsed() async throws {
        try await RunnerFixture.use { fixture in
            let runner = try fixture.start(
                capacity: 1, "while ! [ -e \(fixture.folder.path)/go-$2 ]; do sleep 0.05; done")
            let meetings = try await fixture.requests(3)
            for _ in meetings {
                try await fixture.wait("one bot runs") {
                    runner.bots.values.contains { $0.group != nil && !$0.hasEnded }
                }
                let bot = try #require(runner.bots.values.first { $0.group != nil && !$0.hasEnded })
                let number = try #require(bot.meeting?.number)
                let meeting = try #require(meetings.first { $0.number == number })
                try await fixture.report(.joining, .active, .completed, of: meeting)
                try Data().write(to: fixture.file("go-\(number)"))
                try await fixture.wait("it has ended") { runner.bots[bot.id] == nil }
            }
            #expect(try await fixture.waiting() == 0)
        }
    }

    @Test func whatADeadRunnerHadReadIsTakenOver() async throws {
        try await RunnerFixture.use { fixture in
            let meetings = try await fixture.requests(3)
            for partition in Partition.all {
                _ = try await fixture.client.send("XGROUP", "CREATE", partition.dispatch, "runners", "0", "MKSTREAM")
                _ = try await fixture.client.send(
                    "XREADGROUP", "GROUP", "runners", "dead", "COUNT", "10", "STREAMS", partition.dispatch, ">")
            }
            #expect(try await fixture.pending() == ["dead": 3])
            try fixture.start(leaseMilliseconds: 9_000, Self.sleeper)
            for meeting in meetings { try await fixture.waitUntilClaimed(meeting) }
            #expect(try await fixture.pending() == [:])
        }
    }

    @Test func whatItsOwnLostAnswerHeldIsReadAgain() async throws {
        try await RunnerFixture.use { fixture in
            let runner = try fixture.start(
                capacity: 1, "while ! [ -e \(fixture.folder.path)/go-$2 ]; do sleep 0.05; done")
            let first = try await fixture.request()
            try await fixture.waitUntilClaimed(first)
            // A full runner reads nothing, so this is read in its name, as by a read whose answer got lost.
            let second = try await fixture.request()
            let partition = try #require(second.botPlace).partition
            _ = try await fixture.client.send(
                "XREADGROUP", "GROUP", "runners", runner.id, "STREAMS", partition.dispatch, ">")
            #expect(try await fixture.pending() == [runner.id: 1])
            runner.reader(of: partition).readOwnAgain()
            try Data().write(to: fixture.file("go-\(first.number)"))
            try await fixture.waitUntilClaimed(second)
            #expect(try await fixture.pending() == [:])
        }
    }

    @Test func aRunnerGoesOnWhenItsConnectionsAreCut() async throws {
        try await RunnerFixture.use { fixture in
            let runner = try fixture.start(Self.sleeper)
            for count in 1...5 {
                _ = try await fixture.client.send("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
                let meeting = try await fixture.request()
                try await fixture.waitUntilClaimed(meeting)
                try await fixture.wait("the bot is here") { runner.bots.count == count }
            }
            #expect(try await fixture.waiting() == 0)
            #expect(try await fixture.pending() == [:])
        }
    }

    @Test func entriesThatAreNoDispatchesAreRemoved() async throws {
        try await RunnerFixture.use { fixture in
            let partition = Partition(workspace: fixture.caller.workspaceID)
            _ = try await fixture.client.send("XADD", partition.dispatch, "*", "meeting_id", "m")
            // One that names a bot of another partition.
            let other = Partition(number: (partition.number + 1) % 16)
            _ = try await fixture.client.send(
                "XADD", partition.dispatch, "*", "meeting_id", "m", "workspace_id", fixture.caller.workspaceID,
                "bot_id",
                Identifier.bot(in: other), "epoch", "1", "room", "zoom:123456789", "dispatched_at", "1")
            let meeting = try await fixture.request()
            try fixture.start(Self.sleeper)
            try await fixture.waitUntilClaimed(meeting)
            try await fixture.wait("they are gone") { try await fixture.waiting() == 0 }
            #expect(try await fixture.pending() == [:])
        }
    }

    @Test func aStoppedDispatchIsNeverStarted() async throws {
        try await RunnerFixture.use { fixture in
            let stopped = try await fixture.request()
            try await fixture.stop(stopped)
            let wanted = try await fixture.request()
            let runner = try fixture.start("touch \(fixture.folder.path)/$2; exec sleep 600")
            try await fixture.waitUntilClaimed(wanted)
            try await fixture.wait("the wanted one runs") { fixture.exists("\(wanted.number)") }
            #expect(runner.bots.count == 1)
            #expect(!fixture.exists("\(stopped.number)"))
            #expect(try await fixture.record(stopped).botStatus == "completed")
        }
    }

    @Test func aRedisThatHasForgottenEverythingIsServedAgain() async throws {
        try await RunnerFixture.use { fixture in
            let runner = try fixture.start(leaseMilliseconds: 9_000, Self.sleeper)
            let before = try await fixture.request()
            try await fixture.waitUntilClaimed(before)
            _ = try await fixture.client.send("FLUSHALL")
            try await fixture.wait("the bot whose lease is gone is ended") { runner.bots.isEmpty }
            let administration = Administration(fixture.session)
            let user = try await administration.createUser(NewUser(email: "new@example.com")).user
            let caller = Caller(keyID: "test", workspaceID: user.workspaceID, userID: String(user.id), scopes: ["bots"])
            let link = try MeetingLink(platform: .zoom, nativeID: "987654321")
            _ = try await fixture.session.bots.request(BotRequest(link: link), by: caller, trace: .ofTests)
            try await fixture.wait("a bot runs again") { runner.bots.values.contains { $0.group != nil } }
        }
    }

    @Test func everyPartitionGetsItsTurn() async throws {
        try await RunnerFixture.use { fixture in
            // A crowd in one partition, before a single dispatch in another.
            let crowd = try await fixture.requests(30)
            let partition = Partition(workspace: fixture.caller.workspaceID)
            var caller = fixture.caller
            let administration = Administration(fixture.session)
            var number = 0
            while Partition(workspace: caller.workspaceID) == partition {
                number += 1
                let user = try await administration.createUser(NewUser(email: "\(number)@example.com")).user
                caller = Caller(keyID: "test", workspaceID: user.workspaceID, userID: String(user.id), scopes: ["bots"])
            }
            let link = try MeetingLink(platform: .zoom, nativeID: "987654321")
            let single = try await fixture.session.bots.request(BotRequest(link: link), by: caller, trace: .ofTests)
                .meeting
            try fixture.start(capacity: 2, Self.sleeper)
            try await fixture.wait("the single one is among the first two") {
                try await fixture.session.meetings.meeting(id: single.id, workspace: caller.workspaceID)?
                    .fields["bot_container_id"] != nil
            }
            try await fixture.wait("the other one") { try await fixture.waiting() == crowd.count - 1 }
        }
    }

    /// Or that has nothing left to start the bot with.
    @Test(arguments: [["/nowhere/usher", "supervise"], Binary.supervisor(withDescriptors: 5)])
    func aSupervisorThatCannotBeStartedHandsTheBotBack(supervisor: [String]) async throws {
        try await RunnerFixture.use { fixture in
            let meeting = try await fixture.request()
            let broken = try fixture.start(Self.sleeper) { $0.supervisor = supervisor }
            try await fixture.wait("it has given up for a while") {
                broken.pauseEnd > .now() && broken.bots.isEmpty
            }
            broken.stop()
            #expect(try await fixture.waiting() == 1)
            #expect(try await fixture.bot(meeting)["runner"] == nil)
            let whole = try fixture.start(Self.sleeper)
            try await fixture.waitUntilClaimed(meeting)
            #expect(try await fixture.bot(meeting)["runner"] == whole.id)
        }
    }

    /// As when a bot is handed back, and a read of the same runner that had begun before gets its new entry.
    @Test func anotherEntryOfABotThatARunnerStillHasGoesToOthersAtOnce() async throws {
        try await RunnerFixture.use { fixture in
            let meeting = try await fixture.request()
            let partition = try #require(try await fixture.record(meeting).botPlace).partition
            let entries = try await fixture.client.send("XRANGE", partition.dispatch, "-", "+").arrayOrThrow()
            let fields = try entries[0].arrayOrThrow()[1].arrayOrThrow().map { try $0.stringOrThrow() }
            // Far longer than this test waits: nothing here is taken over for having been idle.
            let runner = try fixture.start(leaseMilliseconds: 600_000, Self.sleeper)
            try await fixture.waitUntilClaimed(meeting)
            _ = try await fixture.client.send(
                Command(words: ["XADD", partition.dispatch, "*"] + fields), deadline: Client.soon)
            try await fixture.wait("the entry is given back") { try await fixture.pending()["returned"] == 1 }
            try fixture.start(leaseMilliseconds: 600_000, Self.sleeper)
            try await fixture.wait("another runner removes it, since the bot runs") {
                try await fixture.waiting() == 0
            }
            #expect(try await fixture.bot(meeting)["runner"] == runner.id)
        }
    }

    @Test func aRunnerShowsThatItLivesAndRemovesTheConsumersOfDeadOnes() async throws {
        try await RunnerFixture.use { fixture in
            let partition = Partition(number: 5)
            _ = try await fixture.client.send("XGROUP", "CREATE", partition.dispatch, "runners", "0", "MKSTREAM")
            for consumer in ["idle", "busy"] {
                _ = try await fixture.client.send(
                    "XGROUP", "CREATECONSUMER", partition.dispatch, "runners", consumer)
            }
            _ = try await fixture.client.send("XADD", partition.dispatch, "*", "a", "b")
            _ = try await fixture.client.send(
                "XREADGROUP", "GROUP", "runners", "busy", "STREAMS", partition.dispatch, ">")
            #expect(try await fixture.session.bots.removeConsumers(in: partition, idleForMilliseconds: 3_600_000) == 0)
            #expect(try await fixture.session.bots.removeConsumers(in: partition, idleForMilliseconds: 0) == 1)
            #expect(
                try await fixture.session.bots.removeConsumers(in: Partition(number: 6), idleForMilliseconds: 0) == 0)
            #expect(try await fixture.pending() == ["busy": 1])

            let runner = try fixture.start(capacity: 7, Self.sleeper)
            let meeting = try await fixture.request()
            try await fixture.waitUntilClaimed(meeting)
            try await fixture.wait("the heartbeat counts the bot") {
                let beat = try await fixture.client.send("HGETALL", Keys.peer(.runners, runner.id)).hash()
                return beat["running"] == "1" && beat["capacity"] == "7" && beat["state"] == "running"
            }
            #expect(try await fixture.client.send("PTTL", Keys.peer(.runners, runner.id)).integerOrThrow() > 0)
        }
    }
}
