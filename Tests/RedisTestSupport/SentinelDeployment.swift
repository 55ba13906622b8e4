import EventLoop
import Foundation
import Redis

/// A primary with two replicas, watched by three Sentinels of which two must agree, on loopback.
public final class SentinelDeployment: Sendable {
    public static let service = "records"

    /// The first is the primary to begin with.
    public let servers: [RedisServer]
    public let sentinels: [RedisServer]

    public var url: RedisURL {
        let list = sentinels.map { "127.0.0.1:\($0.port!)" }.joined(separator: ",")
        return try! RedisURL("redis+sentinel://\(list)/\(Self.service)")
    }

    /// - Parameter downMilliseconds: after how long a silent primary counts as down.
    /// - Throws: `TestServerError` if the Sentinels do not know each other and the replicas soon.
    public static func start(downMilliseconds: Int = 3_000) async throws -> SentinelDeployment {
        let deployment = try SentinelDeployment(downMilliseconds)
        for replica in deployment.servers.dropFirst() {
            try await waitFor("a replica has its data") {
                try replica.ask("INFO replication").contains("master_link_status:up")
            }
        }
        for sentinel in deployment.sentinels {
            try await waitFor("a Sentinel knows the others and both replicas") {
                try sentinel.ask("INFO sentinel").contains("slaves=2,sentinels=3")
            }
        }
        return deployment
    }

    private init(_ downMilliseconds: Int) throws {
        let primary = try Self.server(replicaOf: nil)
        let replicas = try (0..<2).map { _ in try Self.server(replicaOf: primary) }
        servers = [primary] + replicas
        sentinels = try (0..<3).map { _ in
            var options = RedisServer.Options()
            options.listensOnPort = true
            options.configuration = [
                "sentinel monitor \(Self.service) 127.0.0.1 \(primary.port!) 2",
                "sentinel down-after-milliseconds \(Self.service) \(downMilliseconds)",
                "sentinel failover-timeout \(Self.service) 5000",
            ]
            options.arguments = ["--sentinel"]
            return try RedisServer(options)
        }
    }

    /// Waits until one of these servers has become the primary, and all Sentinels say so.
    public func newPrimary(among servers: [RedisServer]) async throws -> RedisServer {
        // A server that changes its role throws its clients out.
        @Sendable func find() -> RedisServer? { servers.first { (try? $0.isPrimary) == true } }
        try await waitFor("another server is the primary") { [sentinels] in
            guard let port = find()?.port else { return false }
            return try sentinels.allSatisfy { try $0.ask("INFO sentinel").contains("address=127.0.0.1:\(port),") }
        }
        return find()!
    }

    private static func server(replicaOf primary: RedisServer?) throws -> RedisServer {
        var options = RedisServer.Options()
        options.listensOnPort = true
        options.arguments = ["--repl-diskless-sync-delay", "0"]
        if let primary { options.arguments += ["--replicaof", "127.0.0.1 \(primary.port!)"] }
        return try RedisServer(options)
    }
}

extension RedisServer {
    public var isPrimary: Bool {
        get throws { try ask("INFO replication").contains("role:master") }
    }

    /// How many connections of this name the server has.
    public func connections(named name: String) throws -> Int {
        try ask("CLIENT LIST").split(whereSeparator: \.isNewline).count { $0.contains(" name=\(name) ") }
    }
}
