import TestTurns
import Testing

@testable import Redis

@Suite(.takesTurns) struct KnownPrimaryTests {
    static let a = NodeAddress(host: "a", port: 1)
    static let b = NodeAddress(host: "b", port: 2)

    func takes(_ claims: [PrimaryClaim], _ known: inout KnownPrimary) -> Bool { known.take(claims, asked: 3) }

    func claim(_ address: NodeAddress, _ epoch: Int) -> PrimaryClaim { PrimaryClaim(address: address, epoch: epoch) }

    @Test func theNewestEpochIsBelieved() {
        var known = KnownPrimary()
        #expect(takes([claim(Self.a, 3), claim(Self.b, 4), claim(Self.a, 3)], &known))
        #expect(known.address == Self.b && known.epoch == 4)
        #expect(takes([claim(Self.a, 5)], &known))
        #expect(known.address == Self.a && known.epoch == 5)
        #expect(!takes([], &known))
        #expect(known.address == Self.a)
    }

    @Test func aSentinelThatWasCutOffIsNotBelieved() {
        var known = KnownPrimary()
        #expect(takes([claim(Self.b, 4)], &known))
        #expect(!takes([claim(Self.a, 3), claim(Self.a, 3)], &known))
        #expect(known.address == Self.b && known.epoch == 4)
    }

    /// Such as after SENTINEL RESET, or when all of them were set up anew.
    @Test func anOlderEpochIsBelievedIfAllAgree() {
        var known = KnownPrimary()
        #expect(takes([claim(Self.b, 4)], &known))
        #expect(takes([claim(Self.a, 0), claim(Self.a, 0), claim(Self.a, 0)], &known))
        #expect(known.address == Self.a && known.epoch == 0)
    }

    @Test func aPrimaryThatWasLeftIsTakenOnlyOfANewEpoch() {
        var known = KnownPrimary()
        #expect(takes([claim(Self.a, 1)], &known))
        known.leave(Self.b)
        #expect(known.address == Self.a)
        known.leave(Self.a)
        #expect(known.address == nil)
        #expect(!takes([claim(Self.a, 1), claim(Self.a, 1)], &known))
        #expect(takes([claim(Self.a, 1), claim(Self.b, 2)], &known))
        #expect(known.address == Self.b)
    }

    @Test func whatASentinelSaysIsReadStrictly() throws {
        func reply(_ words: String...) -> Value { .array(words.map { .string($0) }) }
        let (state, address) = (reply("name", "records", "config-epoch", "12"), reply("::1", "7000"))
        #expect(
            try PrimaryClaim(state: state, address: address) == claim(NodeAddress(host: "::1", port: 7000), 12))
        let unknown = Value.error("ERR No such master with that name")
        for bad in [Value.null, .integer(1), unknown, reply(), reply("config-epoch", "x"), reply("config-epoch")] {
            #expect(throws: RedisError.self) { try PrimaryClaim(state: bad, address: address) }
        }
        for bad in [Value.null, .integer(1), unknown, reply(), reply("h"), reply("h", "0"), reply("", "1")] {
            #expect(throws: RedisError.self) { try PrimaryClaim(state: state, address: bad) }
        }
    }

    @Test func aLoginIsOverOnlyAtThePrimary() throws {
        let url = try RedisURL("redis+sentinel://h/records")
        let login = Login(ClientConfiguration(url: url, name: "usher-test"))
        #expect(login.commands.contains { String(decoding: $0.bytes, as: UTF8.self).contains("ROLE") })
        func outcome(_ role: String) -> Login.Outcome {
            login.outcome(of: [.string("OK"), .array([.string(role), .integer(0)]), .string("PONG")])
        }
        #expect(outcome("master") == .ready(scriptHashes: [:]))
        #expect(outcome("slave") == .notYet("it is not the primary: its ROLE is slave"))
    }
}
