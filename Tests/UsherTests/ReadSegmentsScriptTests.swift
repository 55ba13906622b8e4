import EventLoop
import Redis
import Scripts
import TestTurns
import Testing

@testable import Usher

/// What nodes are handed of the segment stream: every result, and the raw keys afterwards.
@Suite(.takesTurns) struct ReadSegmentsScriptTests {
    private static func make(_ body: @escaping @Sendable (World) async throws -> Void) async throws {
        try await World.make { world in
            _ = try await world.client.send("XGROUP", "CREATE", WireNames.segmentStream, "usher", "0", "MKSTREAM")
            try await body(world)
        }
    }

    private static func write(_ world: World, _ fields: String...) async throws -> String {
        let command = Command(words: ["XADD", WireNames.segmentStream, "*"] + fields)
        return try await world.client.send(command, deadline: Client.soon).stringOrThrow()
    }

    private static func notes(_ world: World) async throws -> [String: String] {
        try await world.client.send("HGETALL", Keys.segmentAttempts).hash()
    }

    /// The ids of what is pending, and whose it is.
    private static func pending(_ world: World) async throws -> [String: String] {
        let reply = try await world.client.send("XPENDING", WireNames.segmentStream, "usher", "-", "+", "1000")
        return try reply.arrayOrThrow().reduce(into: [:]) { result, entry in
            let parts = try entry.arrayOrThrow()
            result[try parts[0].stringOrThrow()] = parts[1].string
        }
    }

    @Test func wholeLongAndEmpty() async throws {
        try await Self.make { world in
            let whole = try await Self.write(world, "other", "x", "payload", "0123456789", "payload", "second")
            let long = try await Self.write(world, "payload", "0123456789a")
            let empty = try await Self.write(world, "other", "x")
            let read = try await world.readSegments("a", longest: 10, prefix: 4)
            #expect(
                read == [
                    ReadSegment(id: whole, verdict: "whole", payload: "0123456789", bytes: 10),
                    ReadSegment(id: long, verdict: "long", payload: "0123", bytes: 11),
                    ReadSegment(id: empty, verdict: "empty"),
                ])
            #expect(try await Self.notes(world) == [whole: "a"])
            #expect(try await Self.pending(world) == [whole: "a", long: "a", empty: "a"])
            #expect(try await world.client.send("XLEN", WireNames.segmentStream) == .integer(3))
            let lifetime = try await world.client.send("PTTL", Keys.segmentAttempts).integerOrThrow()
            #expect((1...60_000).contains(lifetime))
            // Nothing is new any more.
            let before = try await world.snapshot()
            #expect(try await world.readSegments("a") == [])
            #expect(try await world.readSegments("a", after: empty) == [])
            #expect(try await world.snapshot().changes(since: before) == [])
        }
    }

    @Test func noMoreThanIsAskedFor() async throws {
        try await Self.make { world in
            var ids: [String] = []
            for _ in 0..<7 { ids.append(try await Self.write(world, "payload", "0123456789")) }
            #expect(try await world.readSegments("a", most: 2).map(\.id) == Array(ids[..<2]))
            // As many as begin before the bound is reached.
            #expect(try await world.readSegments("a", bytes: 25).map(\.id) == Array(ids[2..<5]))
            #expect(try await world.readSegments("a", bytes: 1).map(\.id) == [ids[5]])
            #expect(Set(try await Self.pending(world).keys) == Set(ids[..<6]))
            // The same of what it was handed before, from anywhere on.
            #expect(try await world.readSegments("a", after: "0", most: 2).map(\.id) == Array(ids[..<2]))
            #expect(try await world.readSegments("a", after: ids[1], bytes: 25).map(\.id) == Array(ids[2..<5]))
            #expect(try await Self.notes(world).values.allSatisfy { $0 == "a" })
        }
    }

    @Test func whatWasRemovedIsGone() async throws {
        try await Self.make { world in
            let id = try await Self.write(world, "payload", "x")
            _ = try await world.readSegments("a")
            _ = try await world.client.send("HDEL", Keys.segmentAttempts, id)
            _ = try await world.client.send("XDEL", WireNames.segmentStream, id)
            #expect(try await world.readSegments("a", after: "0") == [ReadSegment(id: id, verdict: "gone")])
            #expect(try await Self.notes(world) == [:])
        }
    }

    @Test func whatOthersEndedOverComesAloneAndThenNoMore() async throws {
        try await Self.make { world in
            var ids: [String] = []
            for _ in 0..<3 { ids.append(try await Self.write(world, "payload", "0123456789")) }
            _ = try await world.readSegments("a")
            func hand(to node: String) async throws {
                for id in ids {
                    _ = try await world.client.send("XCLAIM", WireNames.segmentStream, "usher", node, "0", id)
                }
            }
            // The one that goes on asking for them has not ended over them.
            for _ in 0..<3 { #expect(try await world.readSegments("a", after: "0").count == 3) }
            #expect(try await Self.notes(world) == [ids[0]: "a", ids[1]: "a", ids[2]: "a"])
            _ = try await world.client.send("HDEL", Keys.segmentAttempts, ids[0])
            try await hand(to: "b")
            // The one that nobody ended over is not handed out together with the others.
            #expect(try await world.readSegments("b", after: "0").map(\.id) == [ids[0]])
            #expect(try await world.readSegments("b", after: ids[0]).map(\.id) == [ids[1]])
            #expect(try await world.readSegments("b", after: ids[0]).map(\.id) == [ids[1]])
            #expect(try await Self.notes(world) == [ids[0]: "b", ids[1]: "a b", ids[2]: "a"])
            try await hand(to: "c")
            _ = try await world.client.send("HDEL", Keys.segmentAttempts, ids[0], ids[2])
            let before = try await Self.notes(world)
            #expect(
                try await world.readSegments("c", after: ids[0], prefix: 4) == [
                    ReadSegment(id: ids[1], verdict: "tried", payload: "0123", bytes: 10)
                ])
            #expect(try await Self.notes(world) == before)
        }
    }
}

/// What `read_segments` says of an entry.
struct ReadSegment: Equatable {
    var id: String
    var verdict: String
    var payload: String?
    var bytes: Int?
}

extension World {
    func readSegments(
        _ node: String, after id: String = ">", most: Int = 100, bytes: Int = 1_000, longest: Int = 1_000,
        prefix: Int = 100
    ) async throws -> [ReadSegment] {
        let reply = try await run(
            Scripts.ReadSegments(
                streamKey: WireNames.segmentStream, attemptsKey: Keys.segmentAttempts, group: "usher", node: node,
                after: id, maxEntries: most, maxBytes: bytes, maxPayloadBytes: longest, prefixBytes: prefix,
                maxOthers: 2, keepMilliseconds: 60_000))
        return try reply.arrayOrThrow().map { entry in
            let parts = try entry.arrayOrThrow()
            return ReadSegment(
                id: try parts[0].stringOrThrow(), verdict: try parts[1].stringOrThrow(),
                payload: parts.count > 2 ? parts[2].string : nil, bytes: parts.count > 3 ? parts[3].integer : nil)
        }
    }
}
