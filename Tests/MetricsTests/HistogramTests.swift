import Testing

@testable import Metrics

@Suite struct HistogramTests {
    private static let buckets = Histogram.Buckets(seconds: [0.001, 0.01, 1])

    @Test func aDurationFallsIntoTheFirstBucketThatIsNotShorter() {
        var histogram = Histogram(Self.buckets)
        for nanoseconds: UInt64 in [0, 1_000_000, 1_000_001, 10_000_000, 1_000_000_000, 1_000_000_001] {
            histogram.record(nanoseconds: nanoseconds)
        }
        #expect(histogram.counts == [2, 2, 1, 1])
        #expect(histogram.count == 6)
        #expect(histogram.seconds == 2.012000002)
    }

    @Test func milliseconds() {
        var histogram = Histogram(Self.buckets)
        histogram.record(milliseconds: 10)
        // What the clocks of two machines can make of a moment.
        histogram.record(milliseconds: -5)
        #expect(histogram.counts == [1, 1, 0, 0] && histogram.seconds == 0.01)
    }

    @Test func histogramsAddUp() {
        var (one, other) = (Histogram(Self.buckets), Histogram(Self.buckets))
        one.record(milliseconds: 1)
        other.record(milliseconds: 1)
        other.record(milliseconds: 5_000)
        one.add(other)
        #expect(one.counts == [2, 0, 0, 1] && one.seconds == 5.002)
        #expect(other.count == 2)
    }
}
