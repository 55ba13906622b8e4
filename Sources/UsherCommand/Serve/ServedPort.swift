import API

/// A port that a node listens on, and what it answers to there.
struct ServedPort: Equatable, Sendable {
    let host: String
    /// 0 lets the system choose.
    var port: Int
    var surfaces: Set<Surface>

    /// The ports of a node, the public one first. What is to be on the same port shares it, but for port 0, which is
    /// another one each time.
    static func all(_ settings: Settings) -> [ServedPort] {
        var ports = [ServedPort(host: settings.host, port: settings.port, surfaces: [.api])]
        let others: [(Surface, Int?)] = [
            (.admin, settings.adminPort), (.internal, settings.internalPort), (.metrics, settings.metricsPort),
        ]
        for (surface, port) in others {
            guard let port else {
                ports[0].surfaces.insert(surface)
                continue
            }
            let host = settings.privateHost
            if port != 0, let index = ports.firstIndex(where: { $0.host == host && $0.port == port }) {
                ports[index].surfaces.insert(surface)
            } else {
                ports.append(ServedPort(host: host, port: port, surfaces: [surface]))
            }
        }
        return ports
    }

    /// Whether only the node itself may listen there, and on one loop. Metrics are a node's own: were the port shared with
    /// another node's, each scrape would reach one of them by chance.
    var isExclusive: Bool { surfaces == [.metrics] }

    /// Which chooses it.
    var setting: Setting {
        if surfaces.contains(.api) { return Setting[\.port] }
        return surfaces.contains(.admin) ? Setting[\.adminPort] : Setting[\.internalPort]
    }

    /// For the log: `api, admin`.
    var serves: String {
        Surface.allCases.filter(surfaces.contains).map(\.rawValue).joined(separator: ", ")
    }
}
