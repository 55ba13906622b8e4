import Testing

@testable import Metrics

/// Against "Exposition formats" of Prometheus, text format 0.0.4.
@Suite struct SamplesTests {
    private static let asked = Metric(
        .counter, "asked_total", labels: ["who", "how"], "How often \"it\" was\nasked \\.")
    private static let depth = Metric(.gauge, "depth_bytes", "Bytes.")
    private static let waits = Metric(.histogram, "waits_seconds", labels: ["who"], "Waits.")

    private func text(_ samples: Samples) -> String { String(decoding: samples.text, as: UTF8.self) }

    @Test func numbersWithTheirHelpAndTypeInTheOrderInWhichTheyCame() {
        var samples = Samples()
        samples.add(Self.depth, [], 1.5)
        samples.add(Self.asked, ["b", "x"], 2)
        samples.add(Self.asked, ["a", "x"], 1)
        #expect(
            text(samples) == """
                # HELP depth_bytes Bytes.
                # TYPE depth_bytes gauge
                depth_bytes 1.5
                # HELP asked_total How often "it" was\\nasked \\\\.
                # TYPE asked_total counter
                asked_total{who="a",how="x"} 1
                asked_total{who="b",how="x"} 2

                """)
    }

    @Test func labelValuesAreEscaped() {
        var samples = Samples()
        samples.add(Self.asked, ["a\"b\\c\nd", "{é}"], 1)
        #expect(text(samples).contains("asked_total{who=\"a\\\"b\\\\c\\nd\",how=\"{é}\"} 1\n"))
    }

    @Test func bucketsAreCumulativeAndEndWithTheCount() {
        var histogram = Histogram(Histogram.Buckets(seconds: [0.005, 1]))
        for milliseconds in [1, 2, 500, 4_000] { histogram.record(milliseconds: milliseconds) }
        var samples = Samples()
        samples.add(Self.waits, ["a"], histogram)
        #expect(
            text(samples) == """
                # HELP waits_seconds Waits.
                # TYPE waits_seconds histogram
                waits_seconds_bucket{who="a",le="0.005"} 2
                waits_seconds_bucket{who="a",le="1"} 3
                waits_seconds_bucket{who="a",le="+Inf"} 4
                waits_seconds_sum{who="a"} 4.503
                waits_seconds_count{who="a"} 4

                """)
    }

    @Test func whatHasTheSameLabelsAddsUpAcrossLoops() {
        var histogram = Histogram(Histogram.Buckets(seconds: [1]))
        histogram.record(milliseconds: 10)
        var loops = [Samples(), Samples()]
        for index in loops.indices {
            loops[index].add(Self.asked, ["a", "x"], index + 1)
            loops[index].add(Self.waits, ["a"], histogram)
        }
        loops[0].add(loops[1])
        #expect(text(loops[0]).contains("asked_total{who=\"a\",how=\"x\"} 3\n"))
        #expect(text(loops[0]).contains("waits_seconds_count{who=\"a\"} 2\n"))
        #expect(text(loops[0]).contains("waits_seconds_sum{who=\"a\"} 0.02\n"))
    }

    @Test func theProcessKnowsItself() throws {
        let process = try #require(ProcessStatistics.read())
        #expect(process.residentBytes > 1_000_000 && process.virtualBytes >= process.residentBytes)
        #expect(process.openDescriptors >= 3 && process.maximumDescriptors >= process.openDescriptors)
        // After 2020: the boot time was found and added.
        #expect(process.startTime > 1_577_836_800 && process.threads >= 1 && process.processorSeconds >= 0)
    }
}
