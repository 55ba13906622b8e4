import EventLoop

/// What to connect to, once names are resolved.
enum Target: Equatable, Sendable {
    case address(String, port: UInt16)
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
            Resolver.resolve(host, on: loop) { result in
                completion(
                    result
                        .map { addresses in addresses.map { .address($0, port: port) } }
                        .mapError { Unresolved(reason: "cannot resolve \(host): \($0.reason)") })
            }
        }
    }

    struct Unresolved: Error {
        let reason: String
    }

    /// nil for a path that is too long for a socket's address.
    var socketAddress: SocketAddress? {
        switch self {
        case .address(let address, let port): SocketAddress(host: address, port: Int(port))
        case .unix(let path): SocketAddress(unixPath: path)
        }
    }
}
