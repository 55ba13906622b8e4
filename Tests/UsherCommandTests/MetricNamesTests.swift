import Metrics
import Node
import Runner
import TestTurns
import Testing

@testable import UsherCommand

/// The names by the conventions of Prometheus ("Metric and label naming"), as `promtool check metrics` asks for them.
@Suite(.takesTurns) struct MetricNamesTests {
    @Test(arguments: [Node.metrics, Runner.shown])
    func namesUnitsAndHelp(metrics: [Metric]) {
        #expect(Set(metrics.map(\.name)).count == metrics.count, "two metrics have one name")
        for metric in metrics {
            let name = metric.name
            #expect(name.hasPrefix("usher_") || name.hasPrefix("process_"))
            #expect(name.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "_") }, "\(name)")
            #expect((metric.kind == .counter) == name.hasSuffix("_total"), "\(name)")
            if metric.kind == .histogram { #expect(name.hasSuffix("_seconds"), "\(name)") }
            for unit in ["milliseconds", "_ms", "minutes", "kilobytes", "megabytes", "_kb", "_mb", "percent"] {
                #expect(!name.contains(unit), "\(name) is not in a base unit")
            }
            #expect(metric.help.hasSuffix(".") && metric.help.first?.isLowercase == false, "\(name): \(metric.help)")
            #expect(!metric.labels.contains("le") && Set(metric.labels).count == metric.labels.count)
        }
    }

    @Test func helpExplainsEachOfThem() {
        let text = Help.text(.metrics).split(whereSeparator: \.isWhitespace).joined(separator: " ")
        for metric in Node.metrics + Runner.shown {
            let labels = metric.labels.isEmpty ? "" : "{\(metric.labels.joined(separator: ","))}"
            #expect(text.contains("\(metric.name)\(labels) (\(metric.kind.rawValue)) \(metric.help)"), "\(metric.name)")
        }
    }
}
