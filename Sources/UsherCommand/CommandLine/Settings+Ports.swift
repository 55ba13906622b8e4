import API
import Node

extension ServedPort {
    /// The ports of a node, the public one first. What is to be on the same port shares it, but for port 0, which is
    /// another one each time.
    static func all(_ settings: Settings) -> [ServedPort] {
        var ports = [ServedPort(host: settings.host, port: settings.port, surfaces: [.api])]
        var others: [(Surface, Int?)] = [
            (.admin, settings.adminPort), (.internal, settings.internalPort), (.metrics, settings.metricsPort),
        ]
        if settings.servesConsole, let port = settings.consolePort { others.append((.console, port)) }
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
}
