import EventLoop
import Foundation
import Synchronization
import TestTurns
import Testing

@testable import HTTP

/// Handlers whose bodies are written piece by piece.
final class Streams: Sendable {
    private let state = Mutex((written: 0, end: ""))

    /// Bytes that were written and taken, of all bodies.
    var written: Int { state.withLock { $0.written } }
    /// How the endless one ended.
    var end: String { state.withLock { $0.end } }

    struct Broken: Error {}

    private func write(_ piece: String, to writer: BodyWriter) async throws {
        try await writer.write(Array(piece.utf8))
        state.withLock { $0.written += piece.utf8.count }
    }

    func add(to router: inout Router, _ gate: Gate) {
        router.add(.get, "/pieces/{count}") { [self] request in
            let count = Int(request.parameter("count"))!
            return .json(hold: nil) { [self] writer in
                for number in 0..<count { try await write("piece \(number)\n", to: writer) }
                try await writer.write([])
            }
        }
        router.add(.get, "/broken") { [self] _ in
            .json(hold: nil) { [self] writer in
                try await write("piece 0\n", to: writer)
                throw Broken()
            }
        }
        router.add(.get, "/endless") { [self] _ in
            .json(hold: nil) { [self] writer in
                do {
                    // Not quite: a writer that nobody holds up comes to its end.
                    for _ in 0..<2_000 { try await write(String(repeating: "x", count: 65_536), to: writer) }
                } catch is BodyWriter.ClientGone {
                    state.withLock { $0.end = "the client is gone" }
                }
            }
        }
        router.add(.get, "/gated") { [self] _ in
            .json(hold: nil) { [self] writer in
                try await write("before\n", to: writer)
                await gate.pass()
                try await write("after\n", to: writer)
            }
        }
        router.add(.get, "/stuck") { [self] _ in
            .json(hold: nil) { [self] writer in
                try await write("before\n", to: writer)
                await gate.pass()
            }
        }
    }
}

/// Bodies that are written piece by piece.
@Suite(.takesTurns) struct StreamTests {
    @Test func aBodyInPiecesIsChunkedAndTheConnectionServesOn() async throws {
        try await withServer { fixture in
            let client = try fixture.connect()
            try client.send("GET /pieces/3 HTTP/1.1\r\nHost: a\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            let head = try client.answer(toHead: true)
            #expect(head.status == 200)
            #expect(head["Transfer-Encoding"] == "chunked" && head["Content-Length"] == nil)
            #expect(try client.chunkedBody() == "piece 0\npiece 1\npiece 2\n")
            #expect(try client.answer().text == "ok\n")
        }
    }

    /// They know no chunks, and so the body ends with the connection.
    @Test func clientsOfTheOldVersionGetItUntilTheConnectionCloses() async throws {
        try await withServer { fixture in
            let client = try fixture.connect()
            try client.send("GET /pieces/2 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            let head = try client.answer(toHead: true)
            #expect(head["Transfer-Encoding"] == nil && head["Content-Length"] == nil)
            #expect(head["Connection"] == "close")
            #expect(try client.rest() == "piece 0\npiece 1\n")
        }
    }

    @Test func headHasNoBodyAndNothingIsWritten() async throws {
        try await withServer { fixture in
            let client = try fixture.connect()
            try client.send("HEAD /pieces/2 HTTP/1.1\r\nHost: a\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.answer(toHead: true)["Transfer-Encoding"] == "chunked")
            #expect(try client.answer().text == "ok\n")
            #expect(fixture.streams.written == 0)
        }
    }

    /// What has begun cannot become an error any more: the client must see that it has no whole answer.
    @Test(arguments: ["1.1", "1.0"]) func aBodyThatFailsHalfWayIsCut(_ version: String) async throws {
        try await withServer { fixture in
            let client = try fixture.connect()
            try client.send("GET /broken HTTP/\(version)\r\nHost: a\r\n\r\n")
            #expect(try client.answer(toHead: true).status == 200)
            #expect(try client.isReset())
        }
    }

    /// The writer is kept waiting, and what is held is a piece and what the kernel has taken, not the body.
    @Test func aClientThatDoesNotReadHoldsTheWriterUp() async throws {
        try await withServer { fixture in
            let client = try fixture.connect(receiveBufferBytes: 4_096)
            try client.send("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = try client.answer(toHead: true)
            var (last, polls) = (0, 0)
            try wait(for: "a writer that is kept waiting") {
                let written = fixture.streams.written
                polls = written == last ? polls + 1 : 0
                last = written
                return written > 0 && polls == 50
            }
            // Others are served meanwhile.
            let other = try fixture.connect()
            try other.request("/healthz")
            #expect(try other.answer().text == "ok\n")
            client.close()
            try wait(for: "the writer's end") { fixture.streams.end == "the client is gone" }
            try wait(for: "the connection's end") { fixture.connectionCount == 1 }
        }
    }

    @Test func aClientThatTakesNothingForTooLongIsCutOff() async throws {
        try await withServer {
            $0.writeTimeoutMilliseconds = 100
        } _: { fixture in
            let client = try fixture.connect(receiveBufferBytes: 4_096)
            try client.send("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = try client.answer(toHead: true)
            try wait(for: "the writer's end") { fixture.streams.end == "the client is gone" }
        }
    }

    @Test func aWriterThatSaysNothingMoreIsCutOff() async throws {
        try await withServer {
            $0.requestDeadlineMilliseconds = 500
            $0.overrunMilliseconds = 500
        } _: { fixture in
            let client = try fixture.connect()
            try client.send("GET /stuck HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.answer(toHead: true).status == 200)
            #expect(try client.isReset())
        }
    }

    @Test func aDrainWaitsForTheWholeBody() async throws {
        try await withServer { fixture in
            let client = try fixture.connect()
            try client.send("GET /gated HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = try client.answer(toHead: true)
            fixture.drain()
            try wait(for: "the writer") { fixture.gate.waitingCount == 1 }
            #expect(fixture.drainedCut == nil)
            fixture.gate.open()
            #expect(try client.chunkedBody() == "before\nafter\n")
            try wait(for: "the drain's end") { fixture.drainedCut == 0 }
        }
    }

    /// The bytes are in the budget until the client has taken the answer, whichever way it ends.
    @Test func whatAnAnswerHoldsIsGivenBackOnceItIsTaken() async throws {
        try await withServer { fixture in
            let client = try fixture.connect(receiveBufferBytes: 4_096)
            try client.request("/held/4000000")
            try wait(for: "bytes that are held") { fixture.answers.use.bytes == 100 }
            _ = try client.answer()
            try wait(for: "bytes that were given back") { fixture.answers.use.bytes == 0 }
            let other = try fixture.connect(receiveBufferBytes: 4_096)
            try other.request("/held/4000000")
            try wait(for: "bytes that are held") { fixture.answers.use.bytes == 100 }
            other.close()
            try wait(for: "bytes that were given back") { fixture.answers.use.bytes == 0 }
            // Whatever the client has asked for besides, which may need them.
            let third = try fixture.connect(receiveBufferBytes: 4_096)
            try third.send("GET /held/4000000 HTTP/1.1\r\nHost: a\r\n\r\nGET /gate HTTP/1.1\r\nHost: a\r\n\r\n")
            try wait(for: "bytes that are held") { fixture.answers.use.bytes == 100 }
            _ = try third.answer()
            try wait(for: "bytes that were given back") { fixture.answers.use.bytes == 0 }
            fixture.gate.open()
            #expect(try third.answer().text == "through")
        }
    }

    /// Who takes an answer slower than at the least pace keeps it as long as nobody waits.
    @Test func whoIsSlowGivesWayToWhoWaits() async throws {
        let loop = try EventLoop(name: "budget")
        try loop.start()
        defer {
            loop.stop()
            loop.join()
        }
        let budget = AnswerBudget(bytes: 128_000, patienceMilliseconds: 10_000)
        await Task(executorPreference: loop) {
            let begin = loop.now
            let (soon, late) = (begin.advanced(byMilliseconds: 10_900), begin.advanced(byMilliseconds: 71_100))
            let far = begin.advanced(byMilliseconds: 600_000)
            // A second's worth at the least pace.
            let slow = await budget.hold(64_000, for: "a", until: far, on: loop)
            #expect(slow?.mustGiveWay(at: late) == false)
            let waiting = Task(executorPreference: loop) {
                await budget.hold(1, for: "a", until: begin.advanced(byMilliseconds: 60_000), on: loop) != nil
            }
            while budget.use.waiting == 0 { await loop.nextTurn() }
            #expect(slow?.mustGiveWay(at: soon) == false && slow?.mustGiveWay(at: late) == true)
            waiting.cancel()
        }.value
    }

    @Test func bytesThatAreNotToBeHadInTimeAreRefused() async throws {
        let loop = try EventLoop(name: "budget")
        try loop.start()
        defer {
            loop.stop()
            loop.join()
        }
        let budget = AnswerBudget(bytes: 100)
        await Task(executorPreference: loop) {
            let far = MonotonicTime.now().advanced(byMilliseconds: 600_000)
            // All that one may have, however much is asked for.
            var first = await budget.hold(1_000, for: "a", until: far, on: loop)
            #expect(first != nil && budget.use.bytes == 50)
            #expect(await budget.hold(1, for: "a", until: loop.now, on: loop) == nil)
            #expect(await budget.hold(1, for: "b", until: far, on: loop) != nil)
            let waiting = Task(executorPreference: loop) {
                await budget.hold(50, for: "a", until: far, on: loop) != nil
            }
            while budget.use.waiting == 0 { await loop.nextTurn() }
            first = nil
            _ = first
            #expect(await waiting.value)
            #expect(budget.use.bytes == 0 && budget.use.waiting == 0)
        }.value
    }
}
