import BotWire
import EventLoop
import TestTurns
import Testing

@testable import AttendingBot

/// What each look at a page asks of a bot, second by second.
@Suite(.takesTurns) struct AttendanceTests {
    /// A bot that has looked at a page at some seconds of a clock of its own.
    private struct Played {
        private var attendance: Attendance
        private let start = MonotonicTime(nanoseconds: 1_000_000_000)

        init(_ change: (inout Attendance.Patience) -> Void = { _ in }) {
            var patience = Attendance.Patience()
            patience.waitingRoomMilliseconds = 300_000
            patience.noOneJoinedMilliseconds = 600_000
            patience.everyoneLeftMilliseconds = 120_000
            change(&patience)
            attendance = Attendance(patience, now: start)
        }

        mutating func look(_ sign: Look.Sign?, others: Int? = nil, at second: Int, why: String = "so")
            -> Attendance.Step
        {
            let look = sign.map { Look($0, why: why, others: others) }
            return attendance.next(look, now: start.advanced(byMilliseconds: second * 1_000))
        }
    }

    @Test func theWayIn() {
        var bot = Played()
        #expect(bot.look(nil, at: 0) == .wait)
        #expect(bot.look(.door, at: 1) == .ask)
        #expect(bot.look(.door, at: 2) == .wait)
        #expect(bot.look(.lobby, at: 3) == .report(.awaitingAdmission))
        #expect(bot.look(.lobby, at: 4) == .wait)
        #expect(bot.look(.room, others: 1, at: 5) == .report(.active))
        #expect(bot.look(.room, others: 1, at: 6) == .wait)
    }

    @Test func aDoorThatStaysShutIsKnockedAtAgainAndThenIsAMiss() {
        var bot = Played()
        #expect(bot.look(.door, at: 0) == .ask)
        #expect(bot.look(.door, at: 9) == .wait)
        #expect(bot.look(.door, at: 10) == .ask)
        #expect(bot.look(.unknown, at: 59) == .wait)
        #expect(bot.look(.unknown, at: 60) == .end(.missed("lobby")))
    }

    @Test func aPageThatShowsNothingKnownIsAMiss() {
        var bot = Played()
        #expect(bot.look(.unknown, at: 59) == .wait)
        #expect(bot.look(nil, at: 60) == .end(.missed("join")))
    }

    @Test(
        arguments: [
            (Look.Sign.denied, StatusReport.CompletionReason.awaitingAdmissionRejected),
            (.unanswered, .awaitingAdmissionTimeout), (.refused, .joinFailure), (.signIn, .authSessionMissing),
        ])
    func aRefusalAtTheDoorIsToldAsWhatItIs(sign: Look.Sign, reason: StatusReport.CompletionReason) {
        var bot = Played()
        _ = bot.look(.door, at: 0)
        guard case .end(.failed(let told, let text)) = bot.look(sign, at: 1, why: "No way") else {
            Issue.record("it goes on")
            return
        }
        #expect(told == reason && text.contains("No way"))
    }

    @Test func whoIsRefusedInTheLobbyWasNotLetIn() {
        var bot = Played()
        _ = bot.look(.lobby, at: 0)
        #expect(
            bot.look(.refused, at: 1) == .end(.failed(.awaitingAdmissionRejected, "the page says \"so\"")))
    }

    @Test func theLobbyHasAnEndAndAnOddPageAsksForAPerson() {
        var bot = Played()
        _ = bot.look(.lobby, at: 0)
        #expect(bot.look(.unknown, at: 10) == .wait)
        #expect(bot.look(.lobby, at: 20) == .wait)
        #expect(bot.look(.unknown, at: 30) == .wait)
        #expect(bot.look(.unknown, at: 50) == .report(.needsHelp))
        #expect(bot.look(.unknown, at: 80) == .wait)
        #expect(
            bot.look(.unknown, at: 300)
                == .end(.failed(.awaitingAdmissionTimeout, "nobody let it in within 300 s")))
    }

    /// On the wire the lobby comes before that.
    @Test func aPageThatWantsAPersonAsksForOneAndWaits() {
        var bot = Played()
        #expect(bot.look(.help, at: 1) == .report(.awaitingAdmission))
        #expect(bot.look(.help, at: 2) == .report(.needsHelp))
        #expect(bot.look(.help, at: 3) == .wait)
        #expect(bot.look(.room, others: 1, at: 40) == .report(.active))
        var other = Played()
        _ = other.look(.help, at: 0)
        _ = other.look(.help, at: 1)
        #expect(
            other.look(.help, at: 300)
                == .end(.failed(.awaitingAdmissionTimeout, "nobody let it in within 300 s")))
    }

    @Test func whoIsAloneLeavesByWhetherAnybodyCame() {
        var alone = Played()
        _ = alone.look(.room, others: 0, at: 0)
        #expect(alone.look(.room, others: 0, at: 599) == .wait)
        #expect(alone.look(.room, others: 0, at: 600) == .end(.completed(.startupAlone)))

        var left = Played()
        _ = left.look(.room, others: 0, at: 0)
        #expect(left.look(.room, others: 2, at: 500) == .wait)
        #expect(left.look(.room, others: 0, at: 510) == .wait)
        #expect(left.look(.room, others: 1, at: 620) == .wait)
        #expect(left.look(.room, others: 0, at: 630) == .wait)
        // The lobby's text may be a line of the chat.
        #expect(left.look(.lobby, others: 0, at: 749) == .wait)
        #expect(left.look(.room, others: 0, at: 750) == .end(.completed(.leftAlone)))
    }

    @Test func aPageThatTellsOfNobodyMakesNobodyLeave() {
        var bot = Played()
        _ = bot.look(.room, at: 0)
        #expect(bot.look(.room, at: 100_000) == .wait)
    }

    @Test(
        arguments: [
            (Look.Sign.removed, StatusReport.CompletionReason.evicted), (.denied, .evicted), (.ended, .leftAlone),
        ])
    func itIsTakenOutOfTheRoom(sign: Look.Sign, reason: StatusReport.CompletionReason) {
        var bot = Played()
        _ = bot.look(.room, others: 1, at: 0)
        #expect(bot.look(sign, at: 1) == .end(.completed(reason)))
    }

    @Test func aConnectionThatComesBackIsNoEnd() {
        var bot = Played()
        _ = bot.look(.room, others: 1, at: 0)
        #expect(bot.look(.disconnected, at: 10) == .wait)
        #expect(bot.look(.disconnected, at: 69) == .wait)
        #expect(bot.look(.room, others: 1, at: 70) == .wait)
        #expect(bot.look(nil, at: 80) == .wait)
        #expect(bot.look(.disconnected, at: 139) == .wait)
        #expect(bot.look(.disconnected, at: 140) == .end(.failed(nil, "the page says \"so\", for 60 s")))
    }

    @Test func noMeetingIsForEver() {
        var bot = Played { $0.longestMilliseconds = 3_600_000 }
        _ = bot.look(.room, others: 1, at: 10)
        #expect(bot.look(.room, others: 1, at: 3_599) == .wait)
        #expect(bot.look(.room, others: 1, at: 3_600) == .end(.completed(.maxBotTimeExceeded)))
    }

    /// Where the button to leave is there, a text is somebody's, such as a line of the chat.
    @Test(arguments: [Look.Sign.removed, .denied, .ended, .refused, .unanswered, .signIn, .help])
    func inTheRoomATextBesideTheButtonToLeaveEndsNothing(sign: Look.Sign) {
        let start = MonotonicTime(nanoseconds: 1_000_000_000)
        var attendance = Attendance(Attendance.Patience(), now: start)
        #expect(attendance.next(Look(.room, others: 1), now: start) == .report(.active))
        for second in [1, 600] {
            let now = start.advanced(byMilliseconds: second * 1_000)
            #expect(attendance.next(Look(sign, why: "so", mayLeave: true), now: now) == .wait)
        }
    }
}
