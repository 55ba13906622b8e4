import Testing

@testable import Metrics

@Suite struct MinuteHistoryTests {
    private static func totals(_ requests: Int, failures: Int = 0, dispatches: Int = 0) -> MinuteHistory.Totals {
        var totals = MinuteHistory.Totals()
        (totals.requests, totals.failures, totals.dispatches) = (requests, failures, dispatches)
        return totals
    }

    @Test func aMinuteHasWhatWasCountedInIt() {
        var history = MinuteHistory()
        history.note(Self.totals(5, failures: 1), waitingMilliseconds: 7, at: 1_000)
        #expect(history.minutes.isEmpty)
        history.note(Self.totals(12, failures: 3, dispatches: 2), waitingMilliseconds: nil, at: 61_000)
        history.note(Self.totals(12, failures: 3, dispatches: 2), waitingMilliseconds: 40, at: 121_000)
        #expect(
            history.minutes == [
                MinuteHistory.Minute(
                    endedAt: 61_000, requests: 7, failures: 2, dispatches: 2, waitingMilliseconds: nil),
                MinuteHistory.Minute(
                    endedAt: 121_000, requests: 0, failures: 0, dispatches: 0, waitingMilliseconds: 40),
            ])
    }

    @Test func itIsAnHourLongAtMost() {
        var history = MinuteHistory()
        for minute in 0...100 {
            history.note(Self.totals(minute * minute), waitingMilliseconds: 0, at: minute * 60_000)
        }
        #expect(history.minutes.count == 60)
        #expect(history.minutes.first?.endedAt == 41 * 60_000 && history.minutes.first?.requests == 41 * 41 - 40 * 40)
        #expect(history.minutes.last?.endedAt == 100 * 60_000)
    }
}
