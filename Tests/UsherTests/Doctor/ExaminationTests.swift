import EventLoop
import Foundation
import Redis
import RedisTestSupport
import TestTurns
import Testing

@testable import Usher

/// The doctor and real servers.
@Suite(.takesTurns) struct ExaminationTests {
    /// - Parameter user: with the password "x"; nil is the default user.
    private static func examine(_ server: RedisServer, as user: String? = nil) async throws -> [String: Finding] {
        // A server ends with its last use.
        defer { withExtendedLifetime(server) {} }
        var url = server.url
        if let user { (url.user, url.password) = (user, "x") }
        let target = url
        return try await withClient(ClientConfiguration(url: target, name: "tests")) { client in
            try await client.waitUntilConnected()
            let reading = try await Examination(
                client: client, url: target, timeoutMilliseconds: 30_000, deadline: Client.soon
            ).read()
            let findings = Doctor.findings(reading, StoreConfiguration())
            return Dictionary(uniqueKeysWithValues: findings.map { ($0.subject, $0) })
        }
    }

    /// Sends commands one after the other, as the default user.
    private static func order(_ server: RedisServer, _ commands: [String]...) async throws {
        try await withClient(ClientConfiguration(url: server.url, name: "tests")) { client in
            try await client.waitUntilConnected()
            for command in commands { _ = try await client.send(Command(words: command), deadline: Client.soon) }
        }
    }

    private static func server(
        _ arguments: String..., isPersistent: Bool = false, listensOnPort: Bool = false
    ) throws -> RedisServer {
        var options = RedisServer.Options()
        options.arguments = arguments
        options.isPersistent = isPersistent
        options.listensOnPort = listensOnPort
        return try RedisServer(options)
    }

    /// How fast it answers, and what else the machine does, is not the server's doing.
    private static func levels(_ findings: [String: Finding]) -> [String: Finding.Level] {
        findings.mapValues(\.level).filter { $0.key != "latency" && $0.key != "clock" && $0.value != .ok }
    }

    @Test func aServerThatIsSetUpRight() async throws {
        let findings = try await Self.examine(Self.server(isPersistent: true))
        #expect(Self.levels(findings) == [:])
        #expect(findings.count == 13)
        #expect(findings["deployment"]?.found == "a standalone Redis")
        #expect(try #require(findings["clock"]).found.contains(" this machine"))
        #expect(try #require(findings["latency"]).found.contains("PING"))
    }

    @Test func theExaminationLeavesNoKey() async throws {
        let server = try Self.server(isPersistent: true)
        try await Self.order(server, ["ACL", "SETUSER", "trier", "on", ">x", "~*", "&*", "+@all", "-acl|dryrun"])
        _ = try await Self.examine(server)
        #expect(Self.levels(try await Self.examine(server, as: "trier")) == [:], "rights found by trial")
        let left = try await withClient(ClientConfiguration(url: server.url, name: "tests")) { client in
            try await client.waitUntilConnected()
            return try await client.send("DBSIZE")
        }
        #expect(left == .integer(0))
    }

    @Test func aServerThatIsSetUpBadly() async throws {
        let server = try Self.server(
            "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru", "--timeout", "60", "--min-replicas-to-write",
            "1")
        let findings = try await Self.examine(server)
        #expect(
            Self.levels(findings) == [
                "persistence": .fail, "memory": .fail, "idle clients": .warn, "replicas": .fail,
            ])
    }

    @Test func aReplicaAndItsPrimary() async throws {
        let primary = try Self.server(isPersistent: true, listensOnPort: true)
        let port = String(try #require(primary.port))
        let replica = try Self.server("--replicaof", "127.0.0.1 \(port)", isPersistent: true, listensOnPort: true)
        try await waitFor("the primary sees its replica") {
            try await Self.examine(primary)["replicas"]?.found.hasPrefix("1 connected, the last one") == true
        }
        #expect(Self.levels(try await Self.examine(primary)) == [:])
        let findings = try await Self.examine(replica)
        #expect(findings["deployment"]?.level == .fail)
        #expect(try #require(findings["deployment"]).found.contains("a replica of 127.0.0.1:\(port)"))
    }

    /// By ACL DRYRUN as an administrator may, and else by a transaction that is discarded.
    @Test(arguments: [true, false])
    func aUserThatLacksRights(asksRedis: Bool) async throws {
        let server = try Self.server(isPersistent: true)
        try await Self.order(
            server,
            [
                "ACL", "SETUSER", "bob", "on", ">x", "~usher:{p*", "~transcription_segments", "&*", "+@all", "-xclaim",
                asksRedis ? "+acl|dryrun" : "-acl|dryrun",
            ])
        let findings = try await Self.examine(server, as: "bob")
        #expect(Self.levels(findings) == ["rights": .fail])
        let line = try #require(findings["rights"]).line
        #expect(line.contains("the user bob may not INCR usher:seq:user, INCR usher:seq:meeting, ZADD usher:users, "))
        #expect(line.contains("+xclaim") && !line.contains("+xautoclaim") && !line.contains("+zcount"))
    }

    @Test func aUserThatMayNotLoadScripts() async throws {
        let server = try Self.server(isPersistent: true)
        try await Self.order(server, ["ACL", "SETUSER", "bob", "on", ">x", "~*", "&*", "+@all", "-script"])
        let findings = try await Self.examine(server, as: "bob")
        #expect(Self.levels(findings) == ["rights": .fail, "scripts": .fail])
        #expect(try #require(findings["rights"]).line.contains("may not SCRIPT LOAD."))
    }

    /// As at those who run Redis for others.
    @Test func aServerThatDoesNotShowItsConfiguration() async throws {
        let server = try Self.server("--rename-command", "CONFIG", "", isPersistent: true)
        let findings = try await Self.examine(server)
        #expect(Self.levels(findings) == ["persistence (appendonly is on)": .warn, "idle clients": .warn])
        let found = try #require(findings["idle clients"]).found
        #expect(found == "unknown: could not look, because Redis says \"ERR unknown command 'CONFIG'\"")
    }

    /// Without the means to look, everything but what the connection itself shows is unknown.
    @Test func aUserThatMayHardlyLook() async throws {
        let server = try Self.server(isPersistent: true)
        try await Self.order(
            server, ["ACL", "SETUSER", "bob", "on", ">x", "~*", "-@all", "+ping", "+client", "+script"])
        let findings = try await Self.examine(server, as: "bob")
        #expect(!findings.values.contains { $0.level == .fail })
        for subject in ["deployment", "version", "persistence", "memory", "rights", "clock", "client limit"] {
            #expect(try #require(findings[subject]).found.hasPrefix("unknown: could not look, because "))
        }
    }

    @Test func aClusterNode() async throws {
        let server = try Self.server(
            "--cluster-enabled", "yes", "--cluster-port", String(try freePort()), isPersistent: true)
        #expect(try await Self.examine(server)["deployment"]?.found.contains("which is down") == true)
        try await Self.order(server, ["CLUSTER", "ADDSLOTSRANGE", "0", "16383"])
        try await waitFor("the cluster of one is up") {
            try await Self.examine(server)["deployment"]?.found == "a primary of a Redis Cluster with 1 primary"
        }
    }
}
