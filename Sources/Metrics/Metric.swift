/// What is measured, as Prometheus and people are told of it.
public struct Metric: Sendable {
    public enum Kind: String, Sendable {
        /// Only grows, until the process ends. Its name ends in `_total`.
        case counter
        case gauge
        case histogram
    }

    /// With the base unit last: `_seconds`, `_bytes` (Prometheus, "Metric and label naming").
    public let name: String
    public let kind: Kind
    /// One sentence, with its full stop.
    public let help: String
    /// In the order in which samples show them.
    public let labels: [String]

    public init(_ kind: Kind, _ name: String, labels: [String] = [], _ help: String) {
        precondition(kind != .counter || name.hasSuffix("_total"), "\(name) is a counter, so its name ends in _total")
        self.kind = kind
        self.name = name
        self.labels = labels
        self.help = help
    }
}
