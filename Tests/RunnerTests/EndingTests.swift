import CLinux
import EventLoop
import Foundation
import Redis
import RedisTestSupport
import TestTurns
import Testing

@testable import Runner
@testable import Usher

/// How bots end, and what stands in the record then (docs/architecture.md, "A meeting's state").
@Suite(.takesTurns) struct EndingTests {
    private static let sleeper = "exec sleep 600"

    // MARK: Exit paths

    @Test func aMissingCommandIsOneClearReasonAndNotTriedAgain() async throws {
        try await RunnerFixture.use { fixture in
            let meeting = try await fixture.request()
            try fixture.start("") { $0.launch = try! LaunchCommand("/nowhere/bot --fast") }
            try await fixture.wait("it has failed", meeting) { $0.botStatus == "failed" }
            let record = try await fixture.record(meeting)
            #expect(record.status == "INITIAL")
            #expect(record.fields["completion_reason"] == "launch_failed")
            #expect(record.fields["failure_stage"] == "requested")
            #expect(
                record.fields["error_details"]
                    == "The bot could not be started: execute /nowhere/bot: No such file or directory.")
            #expect(record.fields["epoch"] == "1")
            #expect(try await fixture.waiting() == 0)
            #expect(try await fixture.request().botStatus == "requested", "others are taken still")
        }
    }

    @Test func aBotThatCrashesBeforeJoiningIsReplacedUpToThreeTimes() async throws {
        try await RunnerFixture.use { fixture in
            let meeting = try await fixture.request()
            let runner = try fixture.start("echo attempt >>\(fixture.folder.path)/log; echo no luck; exit 7")
            try await fixture.wait("it has failed", meeting) { $0.botStatus == "failed" }
            #expect(fixture.text("log") == "attempt\nattempt\nattempt\n")
            let record = try await fixture.record(meeting)
            #expect(record.status == "INITIAL")
            #expect(record.fields["epoch"] == "3")
            #expect(record.fields["completion_reason"] == "bot_exited")
            #expect(record.fields["failure_stage"] == "requested")
            #expect(record.fields["exit_code"] == "7")
            #expect(record.fields["bot_output"] == "no luck")
            try await fixture.wait("it is forgotten") { runner.bots.isEmpty }
            #expect(runner.metrics.botsEnded == ["bot_failed": 3])
            // Nothing keeps the room: it can be asked for again.
            _ = try await fixture.session.bots.request(
                BotRequest(link: try MeetingLink(platform: .zoom, nativeID: meeting.room.nativeID)), by: fixture.caller,
                trace: .ofTests)
        }
    }

    /// As where its browser cannot be started for want of memory.
    @Test func aBotThatCannotBeginForNowIsReplacedAfterAPause() async throws {
        try await RunnerFixture.use { fixture in
            let meeting = try await fixture.request()
            let log = "\(fixture.folder.path)/log"
            let runner = try fixture.start(
                "echo attempt >>\(log); [ $(wc -l <\(log)) -gt 1 ] || exit 75; \(Self.sleeper)")
            try await fixture.wait("the pause") { runner.shortage != nil }
            let end = runner.pauseEnd
            try await fixture.wait("another one") { fixture.text("log") == "attempt\nattempt\n" }
            #expect(end <= .now())
            #expect(try await fixture.record(meeting).fields["epoch"] == "2")
            try await fixture.wait("it is started") { runner.shortage == nil }
        }
    }

    /// A bot that hangs, and whose lease is kept all the while, would hold its room until somebody stops it.
    @Test func aBotThatHangsBeforeItJoinsIsGivenUpAndReplaced() async throws {
        try await RunnerFixture.use { fixture in
            let meeting = try await fixture.request()
            try fixture.start(leaseMilliseconds: 15_000, "echo attempt >>\(fixture.folder.path)/log; exec sleep 600") {
                $0.joinTimeoutMilliseconds = 1_000
                $0.waitingRoomTimeoutMilliseconds = 1_000
            }
            try await fixture.wait("it has failed", meeting) { $0.botStatus == "failed" }
            #expect(fixture.text("log") == "attempt\nattempt\nattempt\n")
            let record = try await fixture.record(meeting)
            #expect(record.status == "INITIAL")
            #expect(record.fields["completion_reason"] == "join_timeout")
            #expect(record.fields["failure_stage"] == "requested")
        }
    }

    @Test func aBotThatCrashesInTheRoomFailsWithItsSignalAndLastLines() async throws {
        try await RunnerFixture.use { fixture in
            let meeting = try await fixture.request()
            try fixture.start(
                "echo '{bot}' secret is $(echo $VEXA_BOT_CONFIG | sed 's/.*internalSecret\\\":\\\"\\([0-9a-f]*\\).*/\\1/'); "
                    + "echo redis://bots:password@redis:6379/0; "
                    + "while ! [ -e \(fixture.folder.path)/go ]; do sleep 0.05; done; kill -SEGV $$")
            try await fixture.waitUntilClaimed(meeting)
            try await fixture.report(.joining, .active, of: meeting)
            try Data().write(to: fixture.file("go"))
            try await fixture.wait("it has failed", meeting) { $0.botStatus == "failed" }
            let record = try await fixture.record(meeting)
            #expect(record.status == "OFFLINE")
            #expect(record.fields["failure_stage"] == "active")
            #expect(record.fields["completion_reason"] == "bot_exited")
            #expect(record.fields["exit_signal"] == String(SIGSEGV))
            #expect(record.fields["exit_code"] == nil)
            #expect(record.fields["bot_output"] == "{bot} secret is ***\n***", "secrets are taken out")
            #expect(record.endTime != nil)
            #expect(record.fields["epoch"] == "1")
        }
    }

    @Test func aBotThatReportedItsEndIsLeftAsItReported() async throws {
        try await RunnerFixture.use { fixture in
            let meeting = try await fixture.request()
            let runner = try fixture.start(
                "while ! [ -e \(fixture.folder.path)/go ]; do sleep 0.05; done; echo late; exit 1")
            try await fixture.waitUntilClaimed(meeting)
            try await fixture.report(.joining, .active, .completed, of: meeting)
            let before = try await fixture.record(meeting).fields
            try Data().write(to: fixture.file("go"))
            try await fixture.wait("it has ended") { runner.bots.isEmpty }
            var after = try await fixture.record(meeting).fields
            // What the node's finalisation adds, if it was not done before.
            for field in ["status", "participants", "languages"] { after[field] = before[field] }
            #expect(after == before)
            #expect(runner.metrics.botsEnded == ["bot_exited": 1])
        }
    }

    /// A bot's exit code tells these apart as little as whether it was told to leave: each ends with 1.
    @Test(arguments: ["join_failure", "awaiting_admission_timeout", "awaiting_admission_rejected"])
    func aBotThatNobodyLetInIsNotCountedAsFailed(reason: String) async throws {
        try await RunnerFixture.use { fixture in
            let meeting = try await fixture.request()
            let runner = try fixture.start(
                "while ! [ -e \(fixture.folder.path)/go ]; do sleep 0.05; done; exit 1")
            try await fixture.waitUntilClaimed(meeting)
            try await fixture.report(.joining, .awaitingAdmission, of: meeting)
            let place = try #require(try await fixture.record(meeting).botPlace)
            _ = try await fixture.session.bots.report(BotReport(status: .failed, completionReason: reason), from: place)
            try Data().write(to: fixture.file("go"))
            try await fixture.wait("it is forgotten") { runner.bots.isEmpty }
            #expect(runner.metrics.botsEnded == [reason == "join_failure" ? "bot_failed" : "bot_exited": 1])
        }
    }

    // MARK: Stop and configuration

    /// A bot that writes down what it is told, and obeys nothing.
    private static func listener(_ fixture: RunnerFixture) -> String {
        """
        trap '' TERM
        redis-cli -s \(fixture.server.socketPath) subscribe bot_commands:meeting:$2 >>\(fixture.folder.path)/$2
        """
    }

    @Test func aBotInTheRoomIsToldToLeaveAgainAndAgainThenKilledAndHasCompleted() async throws {
        try await RunnerFixture.use { fixture in
            let meeting = try await fixture.request()
            let name = String(meeting.number)
            try fixture.start(leaseMilliseconds: 9_000, Self.listener(fixture)) { $0.stopGraceMilliseconds = 8_000 }
            try await fixture.waitUntilClaimed(meeting)
            try await fixture.wait("it listens") { fixture.text(name).contains("subscribe") }
            try await fixture.report(.joining, .active, of: meeting)
            try await fixture.stop(meeting)
            try await fixture.wait("it has completed", meeting) { $0.botStatus == "completed" }
            // Once by the node, and then by the runner at its renewals.
            #expect(fixture.text(name).components(separatedBy: BotCommand.leave).count > 2)
            let record = try await fixture.record(meeting)
            #expect(record.fields["completion_reason"] == "stopped")
            #expect(record.fields["failure_stage"] == nil)
            #expect(record.fields["exit_signal"] == String(SIGKILL))
        }
    }

    @Test func aBotThatIsNotInTheRoomIsEndedAtOnceWhenItIsStopped() async throws {
        try await RunnerFixture.use { fixture in
            let meeting = try await fixture.request()
            let runner = try fixture.start(
                leaseMilliseconds: 15_000, "echo $$ >\(fixture.folder.path)/pid; exec sleep 600"
            ) {
                $0.stopGraceMilliseconds = 600_000
            }
            try await fixture.wait("it runs") { numbers(in: fixture.file("pid")).count == 1 }
            try await fixture.report(.joining, .awaitingAdmission, of: meeting)
            try await fixture.stop(meeting)
            try await fixture.wait("it has completed", meeting) { $0.botStatus == "completed" }
            let record = try await fixture.record(meeting)
            #expect(record.status == "OFFLINE")
            #expect(record.fields["exit_signal"] == String(SIGTERM))
            #expect(!exists(numbers(in: fixture.file("pid"))[0]))
            try await fixture.wait("it is forgotten") { runner.bots.isEmpty }
            #expect(runner.metrics.botsEnded == ["bot_exited": 1], "it was to leave")
        }
    }

    @Test func aConfigurationWhoseMessageWasLostReachesTheBot() async throws {
        try await RunnerFixture.use { fixture in
            let meeting = try await fixture.request()
            let name = String(meeting.number)
            try fixture.start(leaseMilliseconds: 9_000, Self.listener(fixture))
            try await fixture.wait("it listens") { fixture.text(name).contains("subscribe") }
            try await fixture.report(.joining, .active, of: meeting)
            // As PUT .../config does, but without its message.
            let place = try #require(try await fixture.record(meeting).botPlace)
            let key = place.partition.bot(place.botID)
            _ = try await fixture.client.send("HSET", key, "language", "es")
            _ = try await fixture.client.send("HINCRBY", key, "config_version", "1")
            let message = "{\"action\":\"reconfigure\",\"language\":\"es\"}"
            try await fixture.wait("it is told") { fixture.text(name).contains(message) }
        }
    }

    // MARK: Leases

    @Test func aBotEndsBeforeItsLeaseDoesWhenRedisIsAway() async throws {
        try await RunnerFixture.use { fixture in
            let meeting = try await fixture.request()
            let script = "echo $$ >>\(fixture.folder.path)/pid; sleep 600 & echo $! >>\(fixture.folder.path)/pid; wait"
            let runner = try fixture.start(leaseMilliseconds: 9_000, script)
            try await fixture.wait("it runs") { numbers(in: fixture.file("pid")).count == 2 }
            try await fixture.report(.joining, .active, of: meeting)
            fixture.server.pause()
            try await fixture.wait("all its processes are gone") {
                numbers(in: fixture.file("pid")).filter(exists).isEmpty
            }
            fixture.server.resume()
            try await fixture.wait("it has failed", meeting) { $0.botStatus == "failed" }
            #expect(try await fixture.record(meeting).fields["completion_reason"] == "lease_expired")
            #expect(try await fixture.record(meeting).status == "OFFLINE")
            try await fixture.wait("it is forgotten") { runner.bots.isEmpty }
        }
    }

    @Test func aBotWhoseLeaseIsRefusedIsKilled() async throws {
        try await RunnerFixture.use { fixture in
            let meeting = try await fixture.request()
            try fixture.start(leaseMilliseconds: 9_000, "echo $$ >\(fixture.folder.path)/pid; exec sleep 600")
            try await fixture.wait("it runs") { numbers(in: fixture.file("pid")).count == 1 }
            let place = try #require(try await fixture.record(meeting).botPlace)
            _ = try await fixture.client.send("HSET", place.partition.bot(place.botID), "runner", "another")
            try await fixture.wait("it is gone") { !exists(numbers(in: fixture.file("pid"))[0]) }
            #expect(
                try await fixture.record(meeting).botStatus == "requested", "another's bot is not this one's to end")
        }
    }

    @Test func aBotRunsOnWhileItsLeaseIsKept() async throws {
        try await RunnerFixture.use { fixture in
            let meeting = try await fixture.request()
            try fixture.start(leaseMilliseconds: 1_500, "echo $$ >>\(fixture.folder.path)/pid; exec sleep 600")
            try await fixture.wait("it runs") { numbers(in: fixture.file("pid")).count == 1 }
            let place = try #require(try await fixture.record(meeting).botPlace)
            func expiry() async throws -> Double {
                let reply = try await fixture.client.send("ZSCORE", place.partition.leases, place.botID)
                return Double(reply.string ?? "") ?? 0
            }
            let first = try await expiry()
            // On a machine that keeps it from running for a second the bot is ended, and that is right too.
            try await fixture.wait("the lease was renewed, or the bot replaced") {
                let later = try await expiry()
                let record = try await fixture.record(meeting)
                return later > first + 4_000 || record.fields["epoch"] != "1"
            }
        }
    }

    // MARK: Supervisors

    @Test func whenASupervisorIsKilledItsBotIsGoneBeforeItIsSaidSo() async throws {
        try await RunnerFixture.use { fixture in
            let meeting = try await fixture.request()
            let pids = fixture.file("pid")
            // The child would outlive its parent, and has left its group.
            let script = "setsid sh -c 'echo $$ >>\(pids.path); exec sleep 600' & echo $$ >>\(pids.path); wait"
            let runner = try fixture.start(script) {
                $0.cleanUp = try! LaunchCommand("touch \(fixture.folder.path)/clean")
            }
            try await fixture.wait("both run") { numbers(in: pids).count == 2 }
            try await fixture.report(.joining, .active, of: meeting)
            let bot = try #require(runner.bots.values.first)
            kill(try #require(bot.supervisor).id, SIGKILL)
            try await fixture.wait("it has failed", meeting) { $0.botStatus == "failed" }
            #expect(!isRunning(pids))
            #expect(try await fixture.record(meeting).fields["completion_reason"] == "supervisor_lost")
            try await fixture.wait("the clean-up ran all the same") { fixture.exists("clean") }
        }
    }

    @Test func whenASupervisorIsKilledTheCleanUpIsOverBeforeAnotherBotIsSent() async throws {
        try await RunnerFixture.use { fixture in
            _ = try await fixture.request()
            let (log, cleaner) = (fixture.file("log"), fixture.file("cleaner"))
            try Data("echo clean >>\(log.path); sleep 0.5; echo cleaned >>\(log.path)".utf8).write(to: cleaner)
            let runner = try fixture.start("echo bot >>\(log.path); exec sleep 600") {
                $0.cleanUp = try! LaunchCommand("sh \(cleaner.path)")
            }
            try await fixture.wait("it runs") { fixture.text("log") == "bot\n" }
            kill(try #require(runner.bots.values.first?.supervisor).id, SIGKILL)
            try await fixture.wait("another one runs") {
                fixture.text("log").hasSuffix("bot\n") && fixture.text("log") != "bot\n"
            }
            #expect(fixture.text("log") == "bot\nclean\ncleaned\nbot\n")
        }
    }

    @Test func aSupervisorThatHangsIsKilledAtItsDeadlineWithItsBot() async throws {
        try await RunnerFixture.use { fixture in
            _ = try await fixture.request()
            let pids = fixture.file("pid")
            let runner = try fixture.start(leaseMilliseconds: 9_000, "echo $$ >>\(pids.path); exec sleep 600")
            try await fixture.wait("it runs") { numbers(in: pids).count == 1 }
            let bot = try #require(runner.bots.values.first)
            let process = numbers(in: pids)[0]
            kill(try #require(bot.supervisor).id, SIGSTOP)
            try await fixture.wait("the bot is gone") { runner.bots[bot.id] == nil }
            #expect(!isRunning(process))
        }
    }

    private func isRunning(_ file: URL) -> Bool { numbers(in: file).contains(where: isRunning) }

    /// Not so if it has ended and waits to be reaped by the system.
    private func isRunning(_ process: Int32) -> Bool {
        let status = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
        return status.map { !$0.contains(") Z ") } ?? false
    }
}
