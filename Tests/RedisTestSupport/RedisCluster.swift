import EventLoop
import Foundation
import Redis

/// A Redis Cluster of the tests' own, on loopback: primaries that share the slots, and one replica of each if asked for.
public final class RedisCluster: Sendable {
    private static let shared = Task { try await RedisCluster.start(primaries: 3) }

    /// Three primaries that tests share unless they need a fault: started at the first call.
    public static func ofThree() async throws -> RedisCluster {
        try await shared.value
    }

    public let primaries: [RedisServer]
    /// In the order of their primaries.
    public let replicas: [RedisServer]

    /// Names one node alone: the others must be found.
    public var url: RedisURL { try! RedisURL("redis+cluster://127.0.0.1:\(primaries[0].port!)") }

    /// - Parameter nodeTimeoutMilliseconds: after how long a silent primary is replaced.
    /// - Throws: `TestServerError` if it does not serve all slots soon.
    public static func start(
        primaries count: Int, withReplicas: Bool = false, nodeTimeoutMilliseconds: Int = 30_000
    ) async throws -> RedisCluster {
        let cluster = try RedisCluster(count, withReplicas, nodeTimeoutMilliseconds)
        try await cluster.join()
        return cluster
    }

    private init(_ count: Int, _ withReplicas: Bool, _ nodeTimeoutMilliseconds: Int) throws {
        func servers() throws -> [RedisServer] {
            try (0..<count).map { _ in try Self.server(nodeTimeoutMilliseconds) }
        }
        primaries = try servers()
        replicas = withReplicas ? try servers() : []
    }

    private func join() async throws {
        let share = HashSlot.count / primaries.count
        for (index, primary) in primaries.enumerated() {
            let last = index == primaries.count - 1 ? HashSlot.count - 1 : (index + 1) * share - 1
            try primary.ask("CLUSTER SET-CONFIG-EPOCH \(index + 1)")
            try primary.ask("CLUSTER ADDSLOTSRANGE \(index * share) \(last)")
        }
        for node in nodes { try Self.introduce(node, to: primaries[0]) }
        try await wait(for: nodes, "all nodes know each other") { [nodes] in
            try $0.clusterInfo["cluster_known_nodes"] == String(nodes.count)
        }
        for (primary, replica) in zip(primaries, replicas) {
            try replica.ask("CLUSTER REPLICATE \(try primary.ask("CLUSTER MYID"))")
        }
        try await wait(for: replicas, "all replicas have their data") {
            try $0.ask("INFO replication").contains("master_link_status:up")
        }
        try await wait(for: nodes, "the cluster serves all slots") { try $0.clusterInfo["cluster_state"] == "ok" }
    }

    public var nodes: [RedisServer] { primaries + replicas }

    /// Adds an empty primary, which serves no slot yet.
    public func addPrimary() async throws -> RedisServer {
        let added = try Self.server(30_000)
        try Self.introduce(added, to: primaries[0])
        try await wait(for: primaries + [added], "all nodes know the new one") { [nodes] in
            try $0.clusterInfo["cluster_known_nodes"] == String(nodes.count + 1)
        }
        try await wait(for: [added], "the new node knows who serves what") {
            try $0.clusterInfo["cluster_state"] == "ok"
        }
        return added
    }

    /// Begins to move a slot; its keys stay until they are moved.
    public func beginMove(of slot: Int, from source: RedisServer, to target: RedisServer) throws {
        try target.ask("CLUSTER SETSLOT \(slot) IMPORTING \(try source.ask("CLUSTER MYID"))")
        try source.ask("CLUSTER SETSLOT \(slot) MIGRATING \(try target.ask("CLUSTER MYID"))")
    }

    /// Moves one key of a slot that moves.
    public func move(key: String, from source: RedisServer, to target: RedisServer) throws {
        try source.ask("MIGRATE 127.0.0.1 \(target.port!) \(key) 0 30000")
    }

    /// Ends the move of a slot whose keys have all been moved.
    public func endMove(of slot: Int, from source: RedisServer, to target: RedisServer) throws {
        let id = try target.ask("CLUSTER MYID")
        for node in [target, source] { try node.ask("CLUSTER SETSLOT \(slot) NODE \(id)") }
    }

    private static func server(_ nodeTimeoutMilliseconds: Int) throws -> RedisServer {
        var options = RedisServer.Options()
        options.listensOnPort = true
        options.arguments = [
            "--cluster-enabled", "yes", "--cluster-port", String(try freePort()), "--cluster-node-timeout",
            String(nodeTimeoutMilliseconds), "--cluster-replica-validity-factor", "0", "--repl-diskless-sync-delay",
            "0",
        ]
        return try RedisServer(options)
    }

    private static func introduce(_ node: RedisServer, to other: RedisServer) throws {
        guard node !== other else { return }
        try node.ask("CLUSTER MEET 127.0.0.1 \(other.port!) \(try other.busPort)")
    }

    private func wait(
        for nodes: [RedisServer], _ what: String, _ holds: @escaping @Sendable (RedisServer) throws -> Bool
    ) async throws {
        try await waitFor(what) { try nodes.allSatisfy(holds) }
    }
}

extension RedisServer {
    /// The fields of `CLUSTER INFO`.
    var clusterInfo: [String: String] {
        get throws {
            var fields: [String: String] = [:]
            for line in try ask("CLUSTER INFO").split(whereSeparator: \.isNewline) {
                let parts = line.split(separator: ":", maxSplits: 1)
                if parts.count == 2 { fields[String(parts[0])] = String(parts[1]) }
            }
            return fields
        }
    }

    /// As `CLUSTER NODES` says of itself: `<id> host:port@bus-port ...`.
    fileprivate var busPort: String {
        get throws {
            let nodes = try ask("CLUSTER NODES")
            guard let own = nodes.split(whereSeparator: \.isNewline).first(where: { $0.contains("myself") }),
                let address = own.split(separator: " ").dropFirst().first,
                let bus = address.split(separator: "@").last?.split(separator: ",").first
            else { throw TestServerError("CLUSTER NODES says nothing of itself: \(nodes)") }
            return String(bus)
        }
    }
}
