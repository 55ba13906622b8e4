import BotWire
import EventLoop
import Log
import Redis
import TestTurns
import Testing

/// How entries of the transcript are sent to a node that does not take them.
@Suite(.takesTurns, .timeLimit(.minutes(5))) struct TranscriptWriterTests {
    private static let entry = "{\"status\":\"entry\"}"

    @Test(arguments: [404, 503]) func anEntryIsSentAgainAfterPausesThatGrow(status: Int) async throws {
        let server = try await ReportServer()
        let (milliseconds, isTaken) = try await server.use { reporter in
            server.answers.withLock { $0 = ["entry": status] }
            let writer = try Self.writer(server, reporter)
            let start = MonotonicTime.now()
            var isTaken = false
            writer.append(Self.entry) { isTaken = true }
            while server.statuses.count < 5 { await server.loop.wait(milliseconds: 5) }
            let milliseconds = MonotonicTime.now().milliseconds(since: start)
            server.answers.withLock { $0 = [:] }
            await writer.flush { false }
            return (milliseconds, isTaken)
        }
        #expect(milliseconds >= 100 + 200 + 400 + 800 && isTaken)
    }

    /// As in a failover of Redis, which takes seconds.
    @Test func aBotThatEndsWaitsForWhatIsNotTakenYet() async throws {
        let server = try await ReportServer()
        let isTaken = try await server.use { reporter in
            server.answers.withLock { $0 = ["entry": 503] }
            let writer = try Self.writer(server, reporter)
            var isTaken = false
            writer.append(Self.entry) { isTaken = true }
            // Taken at the sixth try, which comes after 3.1 s.
            await writer.flush {
                if server.statuses.count == 5 { server.answers.withLock { $0 = [:] } }
                return false
            }
            return isTaken
        }
        #expect(isTaken && server.statuses.count >= 6)
    }

    @Test func aBotThatIsToldToLeaveWaitsForAMomentOnly() async throws {
        let server = try await ReportServer()
        let start = MonotonicTime.now()
        let isTaken = try await server.use { reporter in
            server.answers.withLock { $0 = ["entry": 503] }
            let writer = try Self.writer(server, reporter)
            var isTaken = false
            writer.append(Self.entry) { isTaken = true }
            await writer.flush { server.statuses.count > 2 }
            return isTaken
        }
        #expect(!isTaken)
        #expect(MonotonicTime.now().milliseconds(since: start) >= 2_000)
    }

    @Test func whatANodeRefusesIsNotSentAgain() async throws {
        let server = try await ReportServer()
        try await server.use { reporter in
            server.answers.withLock { $0 = ["entry": 422] }
            let writer = try Self.writer(server, reporter)
            writer.append(Self.entry)
            writer.append("{\"status\":\"next\"}")
            await writer.flush { false }
        }
        #expect(server.statuses == ["entry", "next"])
    }

    private static func writer(_ server: ReportServer, _ reporter: Reporter) throws -> TranscriptWriter {
        // Its Redis is not asked.
        let configuration = ClientConfiguration(url: try RedisURL("redis://127.0.0.1:1/0"), name: "test")
        let client = Client(loop: server.loop, configuration: configuration, logger: Logger(minimum: .error))
        return TranscriptWriter(client: client, poster: reporter, logger: Logger(minimum: .error))
    }
}
