import EventLoop

/// What to connect to, once names are resolved.
enum Target: Equatable, Sendable {
    /// - Parameter host: the name that led to the address, for certificates; nil: the address itself.
    case address(String, port: UInt16, host: String? = nil)
    case unix(path: String)

    /// Where a URL leads, at least one target, to be tried in their order: a name such as `localhost` has addresses of
    /// which Redis may listen on the last only. `completion` is called on the loop's thread, perhaps at once; its
    /// failure is in words for a log.
    static func resolve(
        _ url: RedisURL, on loop: EventLoop, completion: @escaping @Sendable (Result<[Target], Unresolved>) -> Void
    ) {
        switch url.location {
        case .unix(let path): completion(.success([.unix(path: path)]))
        case .tcp(let host, let port):
            resolve([NodeAddress(host: host, port: port)], found: [], on: loop, completion: completion)
        case .sentinel(let service):
            preconditionFailure("the Sentinels of \(service.name) must be asked first: see PrimaryFinder")
        case .cluster(let nodes):
            // Any will do, and not all clients shall choose the same.
            resolve(nodes.shuffled()[...], found: [], on: loop, completion: completion)
        }
    }

    /// One after the other. Fails, with the last reason, if none of them has an address.
    private static func resolve(
        _ nodes: ArraySlice<NodeAddress>, found: [Target], on loop: EventLoop,
        completion: @escaping @Sendable (Result<[Target], Unresolved>) -> Void
    ) {
        guard let node = nodes.first else { return completion(.success(found)) }
        Resolver.resolve(node.host, on: loop) { result in
            let rest = nodes.dropFirst()
            switch result {
            case .success(let addresses):
                let targets = found + addresses.map { .address($0, port: node.port, host: node.host) }
                resolve(rest, found: targets, on: loop, completion: completion)
            case .failure(let failure):
                if rest.isEmpty, found.isEmpty {
                    completion(.failure(Unresolved(reason: "cannot resolve \(node.host): \(failure.reason)")))
                } else {
                    resolve(rest, found: found, on: loop, completion: completion)
                }
            }
        }
    }

    struct Unresolved: Error {
        let reason: String
    }

    /// Whom a certificate is to name; nil for a Unix socket.
    var host: String? {
        switch self {
        case .address(let address, _, let host): host ?? address
        case .unix: nil
        }
    }

    /// nil for a path that is too long for a socket's address.
    var socketAddress: SocketAddress? {
        switch self {
        case .address(let address, let port, _): SocketAddress(host: address, port: Int(port))
        case .unix(let path): SocketAddress(unixPath: path)
        }
    }
}
