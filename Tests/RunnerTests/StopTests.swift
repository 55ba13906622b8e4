import CLinux
import EventLoop
import Foundation
import Processes
import Redis
import RedisTestSupport
import TestTurns
import Testing

@testable import Runner
@testable import Usher

/// How a runner goes away, asked or not.
@Suite(.takesTurns) struct StopTests {
    @Test func botsThatAreNotInTheRoomAreReplacedByAnotherRunner() async throws {
        try await RunnerFixture.use { fixture in
            let first = try fixture.start("exec sleep 600")
            let meetings = try await fixture.requests(3)
            for meeting in meetings { try await fixture.waitUntilClaimed(meeting) }
            try await fixture.report(.joining, of: meetings[1])
            try await fixture.report(.joining, .awaitingAdmission, of: meetings[2])
            first.stop()
            await first.waitUntilEnded()
            #expect(first.bots.isEmpty)
            let second = try fixture.start("exec sleep 600")
            for meeting in meetings {
                try await fixture.waitUntilClaimed(meeting)
                let bot = try await fixture.bot(meeting)
                #expect(bot["runner"] == second.id)
                #expect(bot["epoch"] == "2")
                #expect(bot["attempts"] == "2")
            }
            #expect(try await fixture.client.send("EXISTS", Keys.peer(.runners, first.id)) == .integer(0))
        }
    }

    @Test func botsInTheRoomAreToldToLeave() async throws {
        try await RunnerFixture.use { fixture in
            let meeting = try await fixture.request()
            let name = String(meeting.number)
            let runner = try fixture.start(
                "redis-cli -s \(fixture.server.socketPath) subscribe bot_commands:meeting:$2 >\(fixture.folder.path)/$2"
            )
            try await fixture.wait("it listens") { fixture.text(name).contains("subscribe") }
            try await fixture.report(.joining, .active, of: meeting)
            runner.stop()
            try await fixture.wait("it is told") { fixture.text(name).contains(BotCommand.leave) }
            // As a real one does, it says so and ends.
            try await fixture.report(.completed, of: meeting)
            runner.stop()
            await runner.waitUntilEnded()
            #expect(try await fixture.record(meeting).botStatus == "completed")
        }
    }

    @Test func aRunnerThatWaitsGoesOnUntilItsBotsHaveEnded() async throws {
        try await RunnerFixture.use { fixture in
            let meeting = try await fixture.request()
            let runner = try fixture.start(
                leaseMilliseconds: 9_000, "while ! [ -e \(fixture.folder.path)/go ]; do sleep 0.05; done"
            ) { $0.onStop = .wait }
            try await fixture.waitUntilClaimed(meeting)
            try await fixture.report(.joining, .active, of: meeting)
            runner.stop()
            let place = try #require(try await fixture.record(meeting).botPlace)
            func expiry() async throws -> Double {
                Double(try await fixture.client.send("ZSCORE", place.partition.leases, place.botID).string ?? "") ?? 0
            }
            let first = try await expiry()
            try await fixture.wait("the lease is renewed after the stop") { try await expiry() > first + 2_000 }
            let other = try await fixture.request()
            let stream = try #require(try await fixture.record(other).botPlace).partition.dispatch
            let late = try await fixture.client.send(
                "XREADGROUP", "GROUP", DispatchReader.group, runner.id, "STREAMS", stream, ">")
            #expect(late != .null, "given to the runner's connection, which it has closed")
            #expect(runner.places == 1, "none that could be taken")
            try await fixture.wait("others know that") {
                try await fixture.client.send("HGET", Keys.peer(.runners, runner.id), "capacity").string == "1"
            }
            try await fixture.report(.completed, of: meeting)
            try Data().write(to: fixture.file("go"))
            await runner.waitUntilEnded()
            #expect(try await fixture.record(other).fields["bot_container_id"] == nil, "it took nothing more")
            // Not by taking over what has been idle for as long as its lease.
            try fixture.start(leaseMilliseconds: 600_000, "exec sleep 600")
            try await fixture.waitUntilClaimed(other)
        }
    }

    @Test func aRunnerWithoutBotsStopsAtOnceAndHoldsNothing() async throws {
        try await RunnerFixture.use { fixture in
            let runner = try fixture.start("exec sleep 600")
            try await fixture.wait("it is ready") { fixture.store.client.isConnected && !runner.isStopping }
            runner.stop()
            await runner.waitUntilEnded()
            #expect(try await fixture.pending() == [:])
        }
    }

    // MARK: The command

    @Test func aKilledRunnersBotsAreGoneAndTheirRoomsServedAgain() async throws {
        try await RunnerFixture.use { fixture in
            let pids = fixture.file("pids")
            let process = try runnerProcess(fixture, "sh -c 'echo $$ >>\(pids.path); exec sleep 600'")
            let meetings = try await fixture.requests(6)
            try await fixture.wait("all run") { numbers(in: pids).count == 6 }
            try await fixture.report(.joining, .active, of: meetings[0])
            try await fixture.report(.joining, .awaitingAdmission, of: meetings[1])
            process.signalGroup(SIGKILL)
            _ = process.waitForExit(deadline: .now().advanced(byMilliseconds: 60_000))
            try await fixture.wait("its bots are gone") { numbers(in: pids).filter(exists).isEmpty }

            let second = try fixture.start("exec sleep 600")
            let sweeper = Sweeper(store: fixture.store, logger: .init(minimum: .error))
            try await fixture.wait("the others run again") {
                try await sweeper.sweep(fixture.session)
                return second.bots.values.count { $0.group != nil } == 5
            }
            let failed = try await fixture.record(meetings[0])
            #expect(failed.status == "OFFLINE")
            #expect(failed.botStatus == "failed")
            #expect(failed.fields["completion_reason"] == "lease_expired")
            for meeting in meetings.dropFirst() { #expect(try await fixture.record(meeting).fields["epoch"] == "2") }
        }
    }

    @Test func theCommandStopsInGoodOrder() async throws {
        try await RunnerFixture.use { fixture in
            let pids = fixture.file("pids")
            let process = try runnerProcess(fixture, "sh -c 'echo $$ >>\(pids.path); exec sleep 600'")
            let meeting = try await fixture.request()
            try await fixture.wait("it runs") { numbers(in: pids).count == 1 }
            process.signalGroup(SIGTERM)
            try await fixture.wait("it has ended") { process.exitStatus == .exited(code: 0) }
            #expect(numbers(in: pids).filter(exists).isEmpty)
            #expect(try await fixture.record(meeting).fields["epoch"] == "2", "the dispatch waits for another runner")
            #expect(try await fixture.waiting() == 1)
        }
    }

    /// `usher runner` as a process of its own, with a short lease.
    private func runnerProcess(_ fixture: RunnerFixture, _ launch: String) throws -> ChildProcess {
        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(null) }
        return try ChildProcess(
            starting: ChildProcess.Program(
                path: Binary.path,
                arguments: [
                    "usher", "runner", "--redis", "redis+unix://\(fixture.server.socketPath)", "--launch", launch,
                    "--api-url", "http://127.0.0.1:1", "--lease-ttl-ms", "9000", "--log-level", "error",
                ], environment: ["PATH": "/usr/local/bin:/usr/bin:/bin"], descriptors: [null, null, STDERR_FILENO],
                parentDeathSignal: nil))
    }
}
