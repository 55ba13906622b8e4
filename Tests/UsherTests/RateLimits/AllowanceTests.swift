import EventLoop
import TestTurns
import Testing

@testable import Usher

/// What a loop does about the tokens of a bucket, without a Redis and a clock.
@Suite(.takesTurns) struct AllowanceTests {
    private static let start = MonotonicTime(nanoseconds: 1_000_000_000_000)

    private static func after(_ milliseconds: Int) -> MonotonicTime { start.advanced(byMilliseconds: milliseconds) }

    @Test(arguments: [
        (1, 1, 1), (10, 10, 1), (40, 1_000, 2), (1_000, 40, 2), (1_000, 20_000, 50), (1_000_000, 1_000_000, 100),
    ])
    func aShareIsASmallPartOfTheBucket(_ perSecond: Int, _ burst: Int, _ share: Int) {
        #expect(RateLimit(perSecond: perSecond, burst: burst).largestShare == share)
    }

    @Test func sharesGrowWhileTheyAreUsedUpAndBeginAnewAfterAPause() {
        var allowance = Allowance(RateLimit(perSecond: 100, burst: 100))
        var asked: [Int] = []
        for number in 0..<20 {
            let plan = allowance.plan(at: Self.after(number))
            if case .ask(let count) = plan {
                asked.append(count)
                allowance.receive(.taken(tokens: count), to: count, at: Self.after(number))
            }
            let isSettled = allowance.settle(plan)
            #expect(isSettled)
        }
        #expect(asked == [1, 2, 4, 5, 5, 5])
        // What was not used within the second is nobody's.
        #expect(allowance.tokens == 2)
        let later = allowance.plan(at: Self.after(2_000))
        #expect(later == .ask(1))
    }

    @Test func requestsRestOnAQuestionThatIsUnderWay() {
        var allowance = Allowance(RateLimit(perSecond: 1_000, burst: 1_000))
        allowance.receiveAll(at: Self.start, rounds: 3)
        // The next question is for eight: seven more rest on it, and the ninth request asks too.
        let plans = (0..<9).map { _ in allowance.plan(at: Self.after(1)) }
        #expect(plans == [.ask(8)] + Array(repeating: .shared(question: 4), count: 7) + [.ask(16)])
        allowance.receive(.taken(tokens: 8), to: 8, at: Self.after(2))
        var first = [allowance.settle(plans[0])]
        // A request that comes now takes nothing from those that wait.
        let newcomer = allowance.plan(at: Self.after(2))
        #expect(newcomer == .shared(question: 5))
        first += plans[1..<8].map { allowance.settle($0) }
        #expect(first == Array(repeating: true, count: 8))
        allowance.receive(.taken(tokens: 16), to: 16, at: Self.after(3))
        let rest = [plans[8], newcomer].map { allowance.settle($0) }
        #expect(rest == [true, true] && allowance.tokens == 14)
    }

    @Test func whoRestsOnAnEmptyBucketIsRefusedAndNobodyAsksForAWhile() {
        var allowance = Allowance(RateLimit(perSecond: 1_000, burst: 1_000))
        allowance.receiveAll(at: Self.start, rounds: 2)
        let plans = (0..<4).map { _ in allowance.plan(at: Self.after(1)) }
        allowance.receive(.taken(tokens: 2), to: 4, at: Self.after(2))
        let settled = plans.map { allowance.settle($0) }
        #expect(settled == [true, true, false, false])
        let next = allowance.plan(at: Self.after(2))
        #expect(next == .ask(8))
        allowance.receive(.empty(milliseconds: 30), to: 8, at: Self.after(3))
        let isSettled = allowance.settle(next)
        #expect(!isSettled)
        let later = [3, 32, 33].map { allowance.plan(at: Self.after($0)) }
        #expect(later == [.refused(milliseconds: 30), .refused(milliseconds: 1), .ask(16)])
    }

    /// Another question that is under way is no reason to let somebody through whose own was answered.
    @Test func whoRestsOnAQuestionGoesByItsAnswer() {
        var allowance = Allowance(RateLimit(perSecond: 1_000, burst: 1_000))
        allowance.receiveAll(at: Self.start, rounds: 1)
        let plans = (0..<4).map { _ in allowance.plan(at: Self.after(1)) }
        #expect(plans == [.ask(2), .shared(question: 2), .ask(4), .shared(question: 3)])
        allowance.receive(.empty(milliseconds: 100), to: 2, at: Self.after(2))
        let settled = plans[..<2].map { allowance.settle($0) }
        #expect(settled == [false, false])
        // The answer to the other one has taken a detour.
        let onCredit = allowance.settle(plans[3])
        #expect(onCredit && allowance.tokens == -1)
    }

    /// Redis does not say: nobody is refused for that, and what rests on a question meanwhile goes on too.
    @Test func noAnswerRefusesNobody() {
        var allowance = Allowance(RateLimit(perSecond: 1_000, burst: 1_000))
        allowance.receiveAll(at: Self.start, rounds: 2)
        let plans = (0..<4).map { _ in allowance.plan(at: Self.after(1)) }
        var settled = [allowance.settle(plans[1])]
        allowance.receive(nil, to: 4, at: Self.after(2))
        settled += [plans[0], plans[2], plans[3]].map { allowance.settle($0) }
        #expect(settled == [true, true, true, true])
        #expect(allowance.tokens == 0)
    }

    @Test func whatIsOwedIsAskedForWithTheNextShare() {
        var allowance = Allowance(RateLimit(perSecond: 1, burst: 10))
        for _ in 0..<3 { allowance.owe() }
        let plan = allowance.plan(at: Self.start)
        #expect(plan == .ask(4))
    }
}

extension Allowance {
    /// Uses up so many shares.
    fileprivate mutating func receiveAll(at now: MonotonicTime, rounds: Int) {
        for _ in 0..<rounds {
            while tokens > 0 { _ = settle(plan(at: now)) }
            guard case .ask(let count) = plan(at: now) else { return }
            receive(.taken(tokens: count), to: count, at: now)
            _ = settle(.ask(count))
        }
        while tokens > 0 { _ = settle(plan(at: now)) }
    }
}
