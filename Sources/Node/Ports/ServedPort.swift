import API

/// A port that a node listens on, and what it answers to there.
public struct ServedPort: Equatable, Sendable {
    public let host: String
    /// 0 lets the system choose.
    public var port: Int
    public var surfaces: Set<Surface>

    public init(host: String, port: Int, surfaces: Set<Surface>) {
        self.host = host
        self.port = port
        self.surfaces = surfaces
    }

    /// Whether only the node itself may listen there, and on one loop. Metrics are a node's own: were the port shared with
    /// another node's, each scrape would reach one of them by chance.
    public var isExclusive: Bool { surfaces == [.metrics] }

    /// The setting that chooses it.
    var flag: String {
        if surfaces.contains(.api) { return "--port" }
        if surfaces.contains(.admin) { return "--admin-port" }
        return surfaces.contains(.internal) ? "--internal-port" : "--console-port"
    }

    /// For the log: `api, admin`.
    public var serves: String {
        Surface.allCases.filter(surfaces.contains).map(\.rawValue).joined(separator: ", ")
    }
}
