import TestTurns
import Testing

@testable import Redis

@Suite(.takesTurns) struct SlotMapTests {
    static func range(_ first: Int, _ last: Int, _ host: Value, _ port: Int) -> Value {
        .array([
            .integer(first), .integer(last), .array([host, .integer(port), .string("id"), .array([])]),
            .array([.string("10.0.0.9"), .integer(7009), .string("replica")]),
        ])
    }

    @Test func whoServesWhat() throws {
        let map = try SlotMap(
            .array([
                Self.range(0, 99, .string("10.0.0.1"), 7001), Self.range(200, 300, .string("10.0.0.1"), 7001),
                Self.range(100, 199, .string("10.0.0.2"), 7002), Self.range(16_383, 16_383, .null, 7003),
            ]), toldBy: "10.0.0.3")
        let first = NodeAddress(host: "10.0.0.1", port: 7001)
        let second = NodeAddress(host: "10.0.0.2", port: 7002)
        #expect([0, 99, 200, 300].map { map.primary(of: $0) } == [first, first, first, first])
        #expect([100, 199].map { map.primary(of: $0) } == [second, second])
        #expect(map.primary(of: 16_383) == NodeAddress(host: "10.0.0.3", port: 7003))
        #expect(map.primary(of: 301) == nil)
        #expect(map.primaries.count == 3)
        #expect(!map.isWhole)
        #expect(try SlotMap(.array([Self.range(0, 16_383, .string("h"), 1)]), toldBy: "").isWhole)
    }

    @Test func aSlotIsGivenToAnother() throws {
        var map = try SlotMap(.array([Self.range(0, 16_383, .string("10.0.0.1"), 7001)]), toldBy: "")
        let other = NodeAddress(host: "10.0.0.2", port: 7002)
        map.assign(5, to: other)
        #expect(map.primary(of: 5) == other)
        #expect(map.primary(of: 6) == NodeAddress(host: "10.0.0.1", port: 7001))
    }

    @Test(arguments: [
        Value.null, .string("x"), .error("ERR This instance has cluster support disabled"), .array([.integer(1)]),
        .array([.array([.integer(1), .integer(2)])]), .array([range(0, 16_384, .string("h"), 1)]),
        .array([range(-1, 5, .string("h"), 1)]), .array([range(6, 5, .string("h"), 1)]),
        .array([range(0, 5, .string("h"), 0)]), .array([range(0, 5, .string("h"), 65_536)]),
        .array([.array([.integer(0), .integer(1), .string("h:1")])]),
    ])
    func whatIsNoMapIsRefused(_ reply: Value) {
        #expect(throws: RedisError.self) { _ = try SlotMap(reply, toldBy: "h") }
    }

    @Test func redirections() {
        let node = NodeAddress(host: "127.0.0.1", port: 6381)
        let six = NodeAddress(host: "::1", port: 6381)
        #expect(Redirection("MOVED 3999 127.0.0.1:6381", from: "x") == .moved(slot: 3999, node))
        #expect(Redirection("MOVED 3999 ::1:6381", from: "x") == .moved(slot: 3999, six))
        #expect(Redirection("MOVED 3999 :6381", from: "127.0.0.1") == .moved(slot: 3999, node))
        #expect(Redirection("ASK 3999 127.0.0.1:6381", from: "x") == .ask(node))
        for text in [
            "TRYAGAIN Multiple keys request during rehashing of slot", "CLUSTERDOWN The cluster is down",
            "CLUSTERDOWN Hash slot not served", "LOADING Redis is loading the dataset in memory",
        ] { #expect(Redirection(text, from: "x") == .later) }
        for text in [
            "", "MOVED", "MOVED 1", "MOVED x 127.0.0.1:1", "MOVED 16384 127.0.0.1:1", "MOVED 1 127.0.0.1",
            "MOVED 1 127.0.0.1:0", "MOVED 1 127.0.0.1:65536", "ASK 1",
            "CROSSSLOT Keys in request don't hash to the same slot",
            "ERR moved", "NOSCRIPT No matching script", "MOVEDX 1 h:1",
        ] { #expect(Redirection(text, from: "x") == nil, "\(text)") }
    }
}
