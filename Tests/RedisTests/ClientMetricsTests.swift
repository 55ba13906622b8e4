import Redis
import RedisTestSupport
import TestTurns
import Testing

/// What a client counts.
@Suite(.takesTurns, .timeLimit(.minutes(14))) struct ClientMetricsTests {
    @Test func commandsCallsAndErrorReplies() async throws {
        try await withClient(ClientTests.configuration()) { client in
            try await client.waitUntilConnected()
            let metrics = client.metrics
            let (commands, calls) = (metrics.commands, metrics.calls.count)
            _ = try await client.pipeline([Command("PING"), Command("NOSUCH"), Command("PING")], deadline: Client.soon)
            _ = try await client.send("PING")
            #expect(metrics.commands == commands + 4 && metrics.calls.count == calls + 2)
            #expect(metrics.failures == [.refused: 1])
            _ = try? await client.send(Command("PING"), deadline: client.loop.now)
            #expect(metrics.failures == [.refused: 1, .deadlinePassed: 1])
        }
    }

    @Test func lostCallsAndReconnections() async throws {
        let server = try RedisServer()
        let configuration = ClientConfiguration(url: server.url, name: "usher-test")
        try await withClient(configuration) { client in
            _ = try? await client.send(Command("PING"), deadline: Client.soon)
            #expect(client.metrics.failures == [.notConnected: 1] && client.metrics.reconnections == 0)
            try await client.waitUntilConnected()
            await #expect(throws: RedisError.connectionLost) {
                _ = try await client.pipeline(
                    [Command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no"), Command("PING")],
                    deadline: Client.soon)
            }
            try await client.waitUntilConnected()
            #expect(client.metrics.reconnections == 1)
            #expect(client.metrics.failures == [.notConnected: 1, .connectionLost: 1])
        }
    }

    /// Copies of one configuration make clients that count for themselves.
    @Test func everyClientCountsForItself() async throws {
        let configuration = try ClientTests.configuration()
        try await withClient(configuration) { client in
            try await client.waitUntilConnected()
            try await withClient(configuration) { other in
                try await other.waitUntilConnected()
                _ = try await other.send("PING")
                #expect(other.metrics.commands == 1)
            }
            #expect(client.metrics.commands == 0)
        }
    }
}
