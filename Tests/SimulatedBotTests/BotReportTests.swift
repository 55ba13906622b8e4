import BotWire
import EventLoop
import Foundation
import HTTP
import Log
import RedisTestSupport
import Synchronization
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
    @Test(arguments: [400, 422]) func anAnswerThatRefusesTheReportDoesNotStopTheBot(status: Int) async throws {
        let fixture = try await BotFixture(configure: { $1.meetingMilliseconds = 50 }, answer: { _, _ in status })
        #expect(try await fixture.ended() == 0)
        #expect(fixture.statuses == ["joining", "awaiting_admission", "active", "completed"])
    }

    /// What the bot could not tell before it was to leave it tells then, in order: its end alone would be refused.
    @Test func aReportThatWasLostIsSentBeforeTheLast() async throws {
        let isUp = Atomic(false)
        let fixture = try await BotFixture(answer: { report, _ in
            report.status == "active" && !isUp.load(ordering: .relaxed) ? 503 : 200
        })
        try await fixture.reported("active")
        isUp.store(true, ordering: .relaxed)
        fixture.stop()
        #expect(try await fixture.ended() == 0)
        let lost = fixture.statuses.count { $0 == "active" }
        #expect(lost >= 2)
        let active = [String](repeating: "active", count: lost)
        #expect(fixture.statuses == ["joining", "awaiting_admission"] + active + ["completed"])
    }

    @Test(arguments: [404, 408, 425, 429, 500, 503])
    func whatIsNotTakenIsSentAgainBeforeWhatFollows(status: Int) async throws {
        let server = try await ReportServer()
        let outcomes = try await server.use { reporter in
            server.answers.withLock { $0 = ["active": status, "joining": status] }
            var outcomes = [await reporter.deliver(Self.report(.joining)) { _ in true }]
            outcomes.append(await reporter.deliver(Self.report(.active)) { _ in true })
            outcomes.append(await reporter.deliverAgain())
            outcomes.append(await reporter.deliverAgain(now: Self.later))
            server.answers.withLock { $0 = [:] }
            outcomes.append(await reporter.deliverAgain(now: Self.later))
            outcomes.append(await reporter.deliverAgain(now: Self.later))
            return outcomes
        }
        let inTrouble = Reporter.Outcome.answered(status: status)
        #expect(outcomes == [inTrouble, .postponed, .postponed, inTrouble, .accepted, .postponed])
        #expect(server.statuses == ["joining", "joining", "joining", "active"])
    }

    /// The bot may have been told to stop before it could say that it is in the room.
    @Test func aRefusalOfWhatWaitedDoesNotKeepTheLastReportBack() async throws {
        let server = try await ReportServer()
        let outcome = try await server.use { reporter in
            server.answers.withLock { $0 = ["active": 503] }
            _ = await reporter.deliver(Self.report(.active)) { _ in true }
            server.answers.withLock { $0 = ["active": 409] }
            return await reporter.deliver(Self.report(.completed), isLast: true) { _ in true }
        }
        #expect(outcome == .accepted && server.statuses == ["active", "active", "completed"])
    }

    @Test func aBotThatIsNotWantedHearsSoWhenItReportsAgain() async throws {
        let server = try await ReportServer()
        let outcome = try await server.use { reporter in
            server.answers.withLock { $0 = ["active": 503] }
            _ = await reporter.deliver(Self.report(.active)) { _ in true }
            server.answers.withLock { $0 = ["active": 409] }
            return await reporter.deliverAgain(now: Self.later)
        }
        #expect(outcome == .unwanted(status: 409))
    }

    private static var later: MonotonicTime { .now().advanced(byMilliseconds: 60_000) }

    private static func report(_ status: StatusReport.Status) -> StatusReport {
        StatusReport(connectionID: "b", status: status, containerID: "c", timestamp: "t")
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

    /// Nodes may be away for longer than five tries take, and then take it.
    @Test func theLastReportIsTriedForMinutes() async throws {
        let server = try await ReportServer()
        let (outcome, pauses) = try await server.use { reporter in
            server.answers.withLock { $0 = ["active": 503, "completed": 503] }
            _ = await reporter.deliver(Self.report(.active)) { _ in true }
            var pauses: [Int] = []
            let outcome = await reporter.deliver(Self.report(.completed), isLast: true) {
                pauses.append($0)
                if pauses.count == 7 { server.answers.withLock { $0 = [:] } }
                return false
            }
            return (outcome, pauses)
        }
        #expect(outcome == .accepted && pauses == [500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000])
        #expect(server.statuses.suffix(2) == ["active", "completed"])
    }

    @Test(arguments: [(true, 5), (false, 17)])
    func theLastReportIsNotTriedForEver(isInHurry: Bool, tries: Int) async throws {
        let server = try await ReportServer()
        let outcome = try await server.use { reporter in
            server.answers.withLock { $0 = ["completed": 503] }
            let report = Self.report(.completed)
            return await reporter.deliver(report, isLast: true, isInHurry: { isInHurry }, pause: { _ in false })
        }
        #expect(outcome == .answered(status: 503) && server.statuses.count == tries)
    }

    /// It is not waited for by whoever wants the bot to leave.
    @Test func aBotThatIsToldToLeaveGivesItsLastReportUp() async throws {
        let fixture = try await BotFixture(
            configure: { $1.meetingMilliseconds = 50 },
            answer: { report, _ in report.status == "completed" ? 503 : 200 })
        try await fixture.reported("completed")
        fixture.stop()
        #expect(try await fixture.ended() == 0)
        #expect(fixture.statuses.count { $0 == "completed" } == 5)
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
