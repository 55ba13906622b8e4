import TestTurns
import Testing

@testable import Runner
@testable import Usher

/// With the default times: a lease of 15 s, a stop grace of 30 s. Every time is given in milliseconds.
@Suite(.takesTurns) struct LeaseKeeperTests {
    private static let partition = Partition(number: 3)
    private let timing = LeaseTiming(
        timeToLive: 15_000, stopGrace: 30_000, joinTimeout: 600_000, waitingRoomTimeout: 300_000)

    @Test func theTimesAreThoseOfTheDesign() {
        #expect(timing.interval == 5_000)
        #expect(timing.margin == 3_000)
        #expect(timing.deadline(renewedAt: at(100)) == at(12_100))
        // Heard of at the next renewal, told to leave, SIGTERM and SIGKILL: all within the grace.
        #expect(timing.interval + timing.leaveGrace + timing.killGrace < 30_000)
        let short = LeaseTiming(
            timeToLive: 600_000, stopGrace: 1_000, joinTimeout: 600_000, waitingRoomTimeout: 300_000)
        #expect(short.leaveGrace + short.killGrace < 1_000)
    }

    @Test func aBotIsRenewedAnIntervalAfterItsClaimAndAfterEachRenewal() throws {
        var keeper = running(["a"])
        #expect(keeper.nextTime == at(5_000))
        #expect(keeper.dueRenewals(now: at(4_999)).isEmpty)
        let renewal = try #require(keeper.dueRenewals(now: at(5_010)).first)
        #expect(renewal == LeaseRenewal(partition: Self.partition, bots: ["a"], sentAt: at(5_010)))
        #expect(keeper.dueRenewals(now: at(5_020)).isEmpty, "one is under way")
        #expect(keeper.take([granted()], to: renewal, now: at(5_100)) == [.extend(bot: "a", at(17_010))])
        keeper.confirm("a", at(17_010))
        #expect(keeper.dueRenewals(now: at(10_009)).isEmpty)
        #expect(keeper.dueRenewals(now: at(10_010)).count == 1)
    }

    @Test func theDeadlineCountsFromBeforeTheRenewalWasSent() throws {
        var keeper = running(["a"])
        let renewal = try #require(keeper.dueRenewals(now: at(5_000)).first)
        #expect(keeper.take([granted()], to: renewal, now: at(6_900)) == [.extend(bot: "a", at(17_000))])
    }

    @Test func botsOfAPartitionGoInOneCallAndPartitionsApart() {
        var keeper = running(["a", "b"])
        _ = keeper.add("c", in: Partition(number: 9), claimedAt: at(2_000))
        keeper.confirm("c", at(14_000))
        _ = keeper.add("d", in: Self.partition, claimedAt: at(2_000))
        keeper.confirm("d", at(14_000))
        let renewals = keeper.dueRenewals(now: at(5_000))
        #expect(renewals.map(\.bots) == [["a", "b", "d"]])
        #expect(keeper.dueRenewals(now: at(7_000)).map(\.bots) == [["c"]])
    }

    @Test func manyBotsOfAPartitionGoInSeveralCalls() {
        var keeper = running((0..<1_201).map { "bot \($0)" })
        #expect(keeper.dueRenewals(now: at(5_000)).map(\.bots.count) == [500, 500, 201])
    }

    @Test func anUnknownOutcomeExtendsNothingAndIsTriedAgainSoon() throws {
        var keeper = running(["a"])
        let renewal = try #require(keeper.dueRenewals(now: at(5_000)).first)
        keeper.fail(renewal, now: at(7_000))
        #expect(keeper.deadline(of: "a") == at(12_000))
        #expect(keeper.nextTime == at(8_000))
        #expect(keeper.dueRenewals(now: at(8_000)).count == 1)
    }

    @Test func aLeaseIsNotRenewedWhoseSupervisorDoesNotAnswer() throws {
        var keeper = LeaseKeeper(timing: timing)
        #expect(keeper.add("a", in: Self.partition, claimedAt: at(0)) == at(12_000))
        #expect(keeper.dueRenewals(now: at(5_000)).isEmpty)
        #expect(keeper.nextTime == at(6_000))
        keeper.confirm("a", at(11_000))
        #expect(keeper.dueRenewals(now: at(6_000)).isEmpty, "that was another deadline")
        keeper.confirm("a", at(12_000))
        #expect(keeper.dueRenewals(now: at(7_000)).count == 1)
    }

    @Test func aDeadlineThatPassedIsNotRenewed() {
        var keeper = running(["a"])
        #expect(keeper.dueRenewals(now: at(12_000)).isEmpty)
    }

    @Test func aRefusedLeaseKillsAndIsNotRenewed() throws {
        var keeper = running(["a", "b"])
        let renewal = try #require(keeper.dueRenewals(now: at(5_000)).first)
        let actions = keeper.take([.refused, granted()], to: renewal, now: at(5_000))
        #expect(actions == [.kill(bot: "a"), .extend(bot: "b", at(17_000))])
        keeper.confirm("b", at(17_000))
        #expect(keeper.dueRenewals(now: at(10_000)).map(\.bots) == [["b"]])
    }

    @Test func aBotInTheRoomIsToldToLeaveAtEachRenewalThenEnded() throws {
        var keeper = running(["a"])
        var renewal = try #require(keeper.dueRenewals(now: at(5_000)).first)
        #expect(
            keeper.take([granted(leaves: true, inRoom: true)], to: renewal, now: at(5_100))
                == [.extend(bot: "a", at(17_000)), .tellToLeave(bot: "a")])
        keeper.confirm("a", at(17_000))
        renewal = try #require(keeper.dueRenewals(now: at(10_000)).first)
        #expect(
            keeper.take([granted(leaves: true, inRoom: true)], to: renewal, now: at(10_000)).last
                == .tellToLeave(bot: "a"))
        keeper.confirm("a", at(22_000))
        #expect(keeper.dueActions(now: at(20_099)).isEmpty)
        #expect(keeper.dueActions(now: at(20_100)) == [.end(bot: "a", graceMilliseconds: 7_500)])
        #expect(keeper.dueActions(now: at(20_200)).isEmpty, "once")
    }

    @Test func aBotThatIsNotInTheRoomYetIsNotWaitedFor() throws {
        var keeper = running(["a"])
        let renewal = try #require(keeper.dueRenewals(now: at(5_000)).first)
        #expect(
            keeper.take([granted(leaves: true)], to: renewal, now: at(5_000)) == [
                .extend(bot: "a", at(17_000)), .tellToLeave(bot: "a"), .end(bot: "a", graceMilliseconds: 7_500),
            ])
    }

    @Test func aConfigurationIsToldUntilItWasHeard() throws {
        var keeper = running(["a"])
        let answer = granted(version: 2, inRoom: true)
        guard case .granted(let wanted) = answer else { return }
        for (time, isHeard) in [(5_000, false), (10_000, true)] {
            let renewal = try #require(keeper.dueRenewals(now: at(time)).first)
            let actions = keeper.take([answer], to: renewal, now: at(time))
            #expect(actions.last == .reconfigure(bot: "a", wanted))
            keeper.confirm("a", at(time + 12_000))
            if isHeard { keeper.hasReconfigured("a", version: 2) }
        }
        let renewal = try #require(keeper.dueRenewals(now: at(15_000)).first)
        #expect(keeper.take([answer], to: renewal, now: at(15_000)) == [.extend(bot: "a", at(27_000))])
    }

    @Test func aRunnerThatStopsLetsABotLeaveInTheSameWay() throws {
        var keeper = running(["a"])
        let renewal = try #require(keeper.dueRenewals(now: at(5_000)).first)
        _ = keeper.take([granted(inRoom: true)], to: renewal, now: at(5_000))
        #expect(keeper.wasInRoom("a"))
        #expect(keeper.letLeave("a", now: at(6_000)) == [.tellToLeave(bot: "a")])
        #expect(
            keeper.dueActions(now: at(21_000)) == [
                .end(bot: "a", graceMilliseconds: 7_500), .overdue(bot: "a"),
            ])
    }

    @Test func aSupervisorThatDidNotKeepItsDeadlineIsOverdueOnce() {
        var keeper = running(["a"])
        #expect(keeper.dueActions(now: at(13_499)).isEmpty)
        #expect(keeper.dueActions(now: at(13_500)) == [.overdue(bot: "a")])
        #expect(keeper.dueActions(now: at(14_000)).isEmpty)
    }

    @Test func aBotThatEndedIsForgottenWhateverIsStillUnderWay() throws {
        var keeper = running(["a"])
        let renewal = try #require(keeper.dueRenewals(now: at(5_000)).first)
        keeper.remove("a")
        #expect(keeper.take([granted()], to: renewal, now: at(5_100)).isEmpty)
        keeper.fail(renewal, now: at(5_200))
        #expect(keeper.nextTime == nil)
        #expect(keeper.letLeave("a", now: at(5_300)) == [.tellToLeave(bot: "a")])
    }

    @Test func hastenedRenewalsAreDueAtOnce() {
        var keeper = running(["a"])
        keeper.hasten(["a", "unknown"], now: at(100))
        #expect(keeper.dueRenewals(now: at(100)).map(\.bots) == [["a"]])
    }

    /// Claimed at 0, and confirmed by their supervisors.
    @Test func aBotThatDoesNotComeIntoItsRoomIsGivenUpOnce() throws {
        var keeper = running(["a", "b", "c"])
        var time = 5_000
        var given: [LeaseAction] = []
        while time <= 620_000 {
            let renewal = try #require(keeper.dueRenewals(now: at(time)).first)
            let answers = renewal.bots.map { granted(leaves: $0 == "c", inRoom: $0 == "b") }
            for action in keeper.take(answers, to: renewal, now: at(time + 1)) {
                if case .extend(let bot, let deadline) = action { keeper.confirm(bot, deadline) }
                if case .giveUp = action {
                    #expect(time >= 599_999)
                    given.append(action)
                }
            }
            time += 5_000
        }
        #expect(given == [.giveUp(bot: "a", graceMilliseconds: timing.killGrace)])
    }

    /// A bot that may wait for long to be let in ends that itself, and says so: it counts from the lobby on.
    @Test func aBotMayComeToTheLobbyAndWaitThereForAsLongAsItIsTo() throws {
        for (asked, limit) in [(nil, 600_000), (30_000, 600_000), (480_000, 600_000), (600_000, 720_000)] {
            var keeper = LeaseKeeper(timing: timing)
            keeper.confirm("a", keeper.add("a", in: Self.partition, claimedAt: at(0), waitingRoomTimeout: asked))
            for (time, isGivenUp) in [(limit - 1, false), (limit, true)] {
                let renewal = LeaseRenewal(partition: Self.partition, bots: ["a"], sentAt: at(time))
                let actions = keeper.take([granted()], to: renewal, now: at(time))
                #expect(actions.contains(.giveUp(bot: "a", graceMilliseconds: timing.killGrace)) == isGivenUp)
            }
        }
        let long = LeaseTiming(timeToLive: 1, stopGrace: 1, joinTimeout: 1_000, waitingRoomTimeout: 2_000)
        #expect(long.joinLimit(waitingRoomTimeout: nil) == 2_200)
    }

    private func running(_ bots: [String]) -> LeaseKeeper {
        var keeper = LeaseKeeper(timing: timing)
        for bot in bots { keeper.confirm(bot, keeper.add(bot, in: Self.partition, claimedAt: at(0))) }
        return keeper
    }

    private func granted(leaves: Bool = false, version: Int = 0, inRoom: Bool = false) -> Renewal {
        .granted(
            Wanted(
                leaves: leaves, configurationVersion: version, language: "es", task: nil, botName: nil,
                wasInRoom: inRoom))
    }

    private func at(_ milliseconds: Int) -> BootTime {
        BootTime(nanoseconds: UInt64(1_000_000 + milliseconds) * 1_000_000)
    }
}
