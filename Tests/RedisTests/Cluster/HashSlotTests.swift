import EventLoop
import RedisTestSupport
import TestTurns
import Testing

@testable import Redis

@Suite(.takesTurns, .timeLimit(.minutes(14))) struct HashSlotTests {
    @Test func theChecksumIsThatOfTheSpecification() {
        #expect(HashSlot.checksum(of: "123456789") == 0x31c3)
        #expect(HashSlot.checksum(of: "") == 0)
    }

    static let keys = [
        "foo", "bar", "", "ü", "{user1000}.following", "{user1000}.followers", "foo{}{bar}", "foo{{bar}}zap",
        "foo{bar}{zap}",
        "}{", "{", "{}", "{a", "a}b{c}d", "usher:{p3}:ws:x", "usher:key:0123", "transcription_segments",
    ]

    @Test func slotsAreThoseOfRedis() async throws {
        let node = try await RedisCluster.ofThree().primaries[0]
        try await withClient(ClientConfiguration(url: node.url, name: "test")) { client in
            _ = await client.firstLogin()
            for key in Self.keys {
                let slot = try await client.send("CLUSTER", "KEYSLOT", key)
                #expect(slot == .integer(HashSlot.of(key)), "\(key)")
            }
        }
    }

    /// A command as Redis itself sees it: `COMMAND GETKEYS`.
    @Test(arguments: [
        ["GET", "k"], ["HSET", "k", "f", "v"], ["SET", "k", "v", "NX", "PX", "5"], ["ZADD", "k", "1", "m"],
        ["EVALSHA", "0123", "2", "k", "l", "argument"], ["EVAL", "return 1", "1", "k"],
        ["XADD", "k", "*", "f", "v"], ["XGROUP", "CREATE", "k", "g", "0", "MKSTREAM"], ["XINFO", "GROUPS", "k"],
        ["XREADGROUP", "GROUP", "g", "STREAM", "COUNT", "1", "BLOCK", "5", "STREAMS", "k", ">"],
        ["XREAD", "COUNT", "1", "STREAMS", "k", "0"], ["XAUTOCLAIM", "k", "g", "c", "0", "0-0"],
        ["XCLAIM", "k", "g", "c", "0", "1-0"], ["XACK", "k", "g", "1-0"], ["XDEL", "k", "1-0"], ["EXISTS", "k"],
        ["PEXPIRE", "k", "1"], ["TYPE", "k"], ["INCR", "k"], ["XRANGE", "k", "-", "+"], ["DEL", "k"],
    ])
    func theFirstKeyIsFound(_ words: [String]) async throws {
        try await withClient(ClientConfiguration(url: try RedisServer.shared().url, name: "test")) { client in
            _ = await client.firstLogin()
            let keys = try await client.send(Command(words: ["COMMAND", "GETKEYS"] + words), deadline: Client.soon)
            #expect(keys.array?.first == .string("k"))
            #expect(Command(words: words).slot == HashSlot.of("k"))
        }
    }

    @Test(arguments: [
        ["PING"], ["TIME"], ["PUBLISH", "channel", "message"], ["EVALSHA", "0123", "0", "argument"], ["INFO"], ["ROLE"],
        ["SCRIPT", "LOAD", "return 1"], ["CLIENT", "SETNAME", "x"], ["CLUSTER", "SLOTS"], ["WAIT", "1", "100"],
    ])
    func someCommandsHaveNone(_ words: [String]) {
        #expect(Command(words: words).slot == nil)
    }
}
