import BotWire
import EventLoop
import Foundation
import HTTP
import Log
import RedisTestSupport
import TestTurns
import Testing

@testable import SimulatedBot

/// How reports are delivered, and what comes of their answers.
@Suite(.takesTurns, .timeLimit(.minutes(14))) struct BotReportTests {
    @Test(arguments: [(409, Int32(0)), (401, 1)], ["joining", "awaiting_admission", "active"])
    func aBotThatIsNotWantedLeavesWithoutAnotherWord(answer: (Int, Int32), stage: String) async throws {
        let fixture = try await BotFixture(answer: { report, _ in report.status == stage ? answer.0 : 200 })
        #expect(try await fixture.ended() == answer.1)
        #expect(fixture.statuses.last == stage)
        #expect(fixture.presence.isEmpty == (stage != "active"))
        if stage == "active" { #expect(fixture.presence.last?.hasSuffix(" left") == true) }
    }

    @Test func aReportIsTriedAgainWhileTheServerIsInTrouble() async throws {
        let fixture = try await BotFixture(
            configure: { $1.meetingMilliseconds = 50 }, answer: { _, number in number == 0 ? 503 : 200 })
        #expect(try await fixture.ended() == 0)
        #expect(fixture.statuses == ["joining", "joining", "awaiting_admission", "active", "completed"])
        #expect(fixture.received[0].body == fixture.received[1].body)
    }

    /// Any answer tells that somebody is there.
    @Test(arguments: [404, 422]) func anAnswerThatRefusesTheReportDoesNotStopTheBot(status: Int) async throws {
        let fixture = try await BotFixture(configure: { $1.meetingMilliseconds = 50 }, answer: { _, _ in status })
        #expect(try await fixture.ended() == 0)
        #expect(fixture.statuses == ["joining", "awaiting_admission", "active", "completed"])
    }

    @Test func pausesBetweenTriesGrow() async throws {
        let loop = try EventLoop(name: "reports")
        try loop.start()
        defer { loop.stop() }
        let url = try HTTPURL("http://127.0.0.1:\(try freePort())/")
        let (outcome, pauses) = await Task(executorPreference: loop) {
            let reporter = Reporter(loop: loop, url: url, secret: nil, logger: Logger(minimum: .error))
            let report = StatusReport(connectionID: "b", status: .joining, containerID: "c", timestamp: "t")
            var pauses: [Int] = []
            let outcome = await reporter.deliver(report) { milliseconds in
                pauses.append(milliseconds)
                return false
            }
            return (outcome, pauses)
        }.value
        #expect(outcome == .unreachable && pauses == [500, 1_000, 2_000, 4_000])
    }

    @Test func aBotThatReachesNobodyGivesUp() async throws {
        let closed = try freePort()
        let fixture = try await BotFixture(configure: { configuration, _ in
            configuration.callbackURL = try! .init("http://127.0.0.1:\(closed)/")
        })
        #expect(try await fixture.ended() == 1)
        #expect(fixture.received.isEmpty && fixture.presence.isEmpty)
    }

    @Test func withoutAnAddressNothingIsReported() async throws {
        let fixture = try await BotFixture(configure: { configuration, simulation in
            configuration.callbackURL = nil
            simulation.meetingMilliseconds = 50
        })
        #expect(try await fixture.ended() == 0)
        #expect(fixture.received.isEmpty && !fixture.presence.isEmpty)
    }

    @Test func malformedReportsComeBeforeEachGoodOne() async throws {
        let fixture = try await BotFixture(
            [.malformedReports], configure: { $1.meetingMilliseconds = 50 },
            answer: { report, _ in
                report.member("timestamp") == nil ? 422 : 200
            })
        #expect(try await fixture.ended() == 0)
        let malformed = BadReports.malformed(connectionID: fixture.botID)
        let good = fixture.received.filter { !malformed.contains($0.body) }
        #expect(good.map(\.status) == ["joining", "awaiting_admission", "active", "completed"])
        #expect(fixture.received.count == 4 * (malformed.count + 1))
    }

    @Test func staleReportsComeAfterEachGoodOne() async throws {
        let fixture = try await BotFixture([.staleReports], configure: { $1.meetingMilliseconds = 50 })
        #expect(try await fixture.ended() == 0)
        #expect(
            fixture.statuses == [
                "joining", "awaiting_admission", "joining", "active", "joining", "awaiting_admission", "completed",
                "joining", "awaiting_admission", "active",
            ])
    }

    @Test func forgedReportsComeBeforeEachGoodOne() async throws {
        let fixture = try await BotFixture(
            [.forgedReports], configure: { $1.meetingMilliseconds = 50 },
            answer: { report, _ in
                report.secret != BotFixture.secret || report.member("connection_id")?.hasPrefix("00000000") == true
                    ? 401 : 200
            })
        #expect(try await fixture.ended() == 0)
        let good = fixture.received.filter {
            $0.secret == BotFixture.secret && $0.member("connection_id") == fixture.botID
        }
        #expect(good.map(\.status) == ["joining", "awaiting_admission", "active", "completed"])
        #expect(fixture.received.count == 12)
    }
}
