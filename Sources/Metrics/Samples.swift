/// What was measured, gathered from wherever it is counted: what has the same metric and label values adds up.
public struct Samples: Sendable {
    private enum Value: Sendable {
        case number(Double)
        case histogram(Histogram)
    }

    /// In the order in which they were first added.
    private var metrics: [Metric] = []
    /// By the metric's name, then by its labels as they are written.
    private var values: [String: [String: Value]] = [:]

    public init() {}

    /// Adds all that is counted in a source, on the thread that it belongs to.
    /// - Parameter labels: the values of the labels that all of its metrics have.
    public mutating func add<Source: Measured>(_ source: Source, _ labels: [String] = []) {
        for measure in Source.measures { measure.add(source, labels, &self) }
    }

    /// Adds a number of a counter or gauge. Stops the program if there are not as many label values as labels.
    mutating func add(_ metric: Metric, _ labels: [String], _ number: Double) {
        precondition(metric.kind != .histogram, "\(metric.name) is a histogram")
        add(.number(number), metric, labels)
    }

    mutating func add(_ metric: Metric, _ labels: [String], _ number: Int) {
        add(metric, labels, Double(number))
    }

    /// The same for a histogram.
    mutating func add(_ metric: Metric, _ labels: [String], _ histogram: Histogram) {
        precondition(metric.kind == .histogram, "\(metric.name) is no histogram")
        add(.histogram(histogram), metric, labels)
    }

    private mutating func add(_ value: Value, _ metric: Metric, _ labels: [String]) {
        precondition(labels.count == metric.labels.count, "\(metric.name) has the labels \(metric.labels)")
        let text = zip(metric.labels, labels).map { "\($0)=\"\(Self.escaped($1, quotes: true))\"" }
            .joined(separator: ",")
        add(value, metric, text)
    }

    private mutating func add(_ value: Value, _ metric: Metric, _ labels: String) {
        let name = metric.name
        if values[name] == nil { metrics.append(metric) }
        switch (values[name]?[labels], value) {
        case (.number(let before)?, .number(let number)): values[name]![labels] = .number(before + number)
        case (.histogram(var sum)?, .histogram(let histogram)):
            sum.add(histogram)
            values[name]![labels] = .histogram(sum)
        default: values[name, default: [:]][labels] = value
        }
    }

    /// Adds all of another's, such as another event loop's.
    public mutating func add(_ other: Samples) {
        for metric in other.metrics {
            for (labels, value) in other.values[metric.name]! { add(value, metric, labels) }
        }
    }

    // MARK: Text

    /// The media type of `text`.
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// All of them in Prometheus' text format, version 0.0.4 ("Exposition formats"), each metric with its help and type. A
    /// metric without samples is left out.
    public var text: [UInt8] {
        var text = ""
        for metric in metrics {
            let samples = values[metric.name]!
            text += "# HELP \(metric.name) \(Self.escaped(metric.help, quotes: false))\n"
            text += "# TYPE \(metric.name) \(metric.kind.rawValue)\n"
            for (labels, value) in samples.sorted(by: { $0.key < $1.key }) {
                switch value {
                case .number(let number):
                    text += "\(metric.name)\(Self.braced(labels)) \(Self.written(number))\n"
                case .histogram(let histogram): text += Self.lines(metric.name, labels, histogram)
                }
            }
        }
        return Array(text.utf8)
    }

    /// A histogram's buckets are cumulative, and the last one, `+Inf`, is the count.
    private static func lines(_ name: String, _ labels: String, _ histogram: Histogram) -> String {
        var text = ""
        var sum = 0
        let bounds = histogram.buckets.seconds.map(written) + ["+Inf"]
        for (bound, count) in zip(bounds, histogram.counts) {
            sum += count
            text += "\(name)_bucket\(braced(labels + (labels.isEmpty ? "" : ",") + "le=\"\(bound)\"")) \(sum)\n"
        }
        text += "\(name)_sum\(braced(labels)) \(written(histogram.seconds))\n"
        return text + "\(name)_count\(braced(labels)) \(sum)\n"
    }

    private static func braced(_ labels: String) -> String {
        labels.isEmpty ? "" : "{\(labels)}"
    }

    private static func written(_ number: Double) -> String {
        // Above this a Double does not hold every integer; what is counted here does not come near.
        number == number.rounded() && number.magnitude < 9e15 ? String(Int(number)) : "\(number)"
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
