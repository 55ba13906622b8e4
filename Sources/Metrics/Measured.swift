/// What counts something, and says so where it does: whoever gathers samples adds it, and each of its metrics is shown.
public protocol Measured {
    static var measures: [Measure<Self>] { get }
}

extension Measured {
    /// What is shown of it.
    public static var metrics: [Metric] { measures.map(\.metric) }
}

/// A metric, and how it is read off what it is counted in.
public struct Measure<Source>: Sendable {
    public let metric: Metric
    /// - Parameter labels: the values of the first of its labels.
    let add: @Sendable (_ source: Source, _ labels: [String], _ samples: inout Samples) -> Void

    /// One that is read as several numbers.
    /// - Parameters:
    ///   - labels: those to which whoever adds the source gives values.
    ///   - own: those of `read`.
    ///   - help: one sentence, with its full stop.
    ///   - read: each number, with the values of its own labels.
    public init(
        _ kind: Metric.Kind, _ name: String, labels: [String] = [], by own: [String], _ help: String,
        read: @escaping @Sendable (Source) -> [([String], Int)]
    ) {
        let metric = Metric(kind, name, labels: labels + own, help)
        self.metric = metric
        add = { source, labels, samples in
            for (values, number) in read(source) { samples.add(metric, labels + values, number) }
        }
    }

    /// - Parameter read: nil leaves it out.
    public init(
        _ kind: Metric.Kind, _ name: String, labels: [String] = [], _ help: String,
        read: @escaping @Sendable (Source) -> Int?
    ) {
        self.init(kind, name, labels: labels, by: [], help) { source in read(source).map { [([], $0)] } ?? [] }
    }

    /// A gauge or counter of seconds.
    /// - Parameter seconds: nil leaves it out.
    public init(
        _ kind: Metric.Kind, _ name: String, _ help: String, seconds: @escaping @Sendable (Source) -> Double?
    ) {
        let metric = Metric(kind, name, help)
        self.metric = metric
        add = { source, labels, samples in
            if let number = seconds(source) { samples.add(metric, labels, number) }
        }
    }

    /// Histograms, each with the values of its own labels.
    public init(
        histogram name: String, labels: [String] = [], by own: [String] = [], _ help: String,
        read: @escaping @Sendable (Source) -> [([String], Histogram)]
    ) {
        let metric = Metric(.histogram, name, labels: labels + own, help)
        self.metric = metric
        add = { source, labels, samples in
            for (values, histogram) in read(source) { samples.add(metric, labels + values, histogram) }
        }
    }
}
