import Testing
import Transfers
import Usher

@testable import Webhooks

@Suite struct RetryScheduleTests {
    private static func outcome(_ status: Int?, tries: Int = 0, retryAfter: Int? = nil) -> DeliveryOutcome {
        RetrySchedule.outcome(TransferAnswer(status: status, retryAfter: retryAfter), tries: tries, jitter: 1)
    }

    @Test(arguments: [200, 201, 204, 299])
    func what2xxTakesIsDelivered(_ status: Int) {
        #expect(Self.outcome(status) == .delivered)
    }

    @Test(arguments: [nil, 408, 425, 429, 500, 503, 599])
    func whatMayPassIsTriedAgain(_ status: Int?) {
        #expect(Self.outcome(status) == .retry(afterMilliseconds: 5_000))
    }

    @Test(arguments: [100, 199, 300, 301, 302, 307, 308, 400, 401, 404, 422])
    func anythingElseIsFinal(_ status: Int) {
        #expect(Self.outcome(status) == .failed)
    }

    @Test func oneThatIsGoneIsGone() {
        #expect(Self.outcome(410) == .gone)
    }

    @Test func aPrivateAddressIsFinal() {
        #expect(RetrySchedule.outcome(TransferAnswer(isBlocked: true), tries: 0) == .failed)
    }

    @Test func thereAreNineAttempts() {
        let pauses = (0..<8).map { Self.outcome(500, tries: $0) }
        #expect(
            pauses
                == [5, 30, 300, 1_800, 7_200, 18_000, 36_000, 36_000].map { .retry(afterMilliseconds: $0 * 1_000) })
        #expect(Self.outcome(500, tries: 8) == .failed)
        #expect(Self.outcome(nil, tries: .max) == .failed)
    }

    @Test func retryAfterIsHeededWithinBounds() {
        #expect(Self.outcome(503, retryAfter: 60) == .retry(afterMilliseconds: 60_000))
        #expect(Self.outcome(503, retryAfter: 1) == .retry(afterMilliseconds: 5_000))
        #expect(Self.outcome(503, retryAfter: .max) == .retry(afterMilliseconds: 36_000_000))
    }

    @Test func pausesVary() {
        for _ in 0..<100 {
            guard case .retry(let pause) = RetrySchedule.outcome(TransferAnswer(status: 500), tries: 1) else {
                Issue.record("not tried again")
                return
            }
            #expect((27_000...33_000).contains(pause))
        }
    }
}
