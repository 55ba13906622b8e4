import EventLoop
import Foundation
import Synchronization
import TestTurns
import Testing

@testable import HTTP

/// WebSockets on a server: what they hold, and when they read.
@Suite(.takesTurns) struct WebSocketTests {
    private static let handshake =
        "GET /socket HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        + "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"

    /// A frame as a client sends it, with a mask of zeros.
    private static func frame(_ opcode: UInt8, _ text: String) -> [UInt8] {
        [0x80 | opcode, 0x80 | UInt8(text.utf8.count), 0, 0, 0, 0] + text.utf8
    }

    private static func open(_ fixture: ServerFixture, receiveBufferBytes: Int32? = nil) throws -> Client {
        let client = try fixture.connect(receiveBufferBytes: receiveBufferBytes)
        try client.send(handshake)
        #expect(try client.answer(toHead: true).status == 101)
        return client
    }

    /// The opcode and payload of the next frame.
    private static func next(_ client: Client) throws -> (opcode: UInt8, text: String) {
        let head = try client.bytes(2)
        var count = Int(head[1])
        if count == 126 { count = try client.bytes(2).reduce(0) { $0 << 8 | Int($1) } }
        if count == 127 { count = try client.bytes(8).reduce(0) { $0 << 8 | Int($1) } }
        return (head[0] & 0x0f, String(decoding: try client.bytes(count), as: UTF8.self))
    }

    @Test func ofManyPingsAtOnceTheLastIsAnswered() async throws {
        try await withServer { fixture in
            let client = try Self.open(fixture)
            try client.send((1...1_000).flatMap { Self.frame(9, "\($0)") } + Self.frame(1, "a"))
            var pongs: [String] = []
            while true {
                let (opcode, text) = try Self.next(client)
                if opcode == 10 { pongs.append(text) }
                if text == "1000" { break }
            }
            // As many as there were reads.
            #expect(pongs.count < 100, "\(pongs.count)")
        }
    }

    /// More than are taken at once, and the last one in two parts: its end has to be read without a ping in between.
    @Test func whatIsLeftOverDoesNotStopTheReading() async throws {
        try await withServer { fixture in
            let client = try Self.open(fixture)
            let last = Self.frame(1, "the last one")
            try client.send((1...16).flatMap { Self.frame(1, "\($0)") } + last.prefix(9))
            for number in 1...16 { #expect(try Self.next(client) == (1, "\(number)")) }
            try client.send(Array(last.dropFirst(9)))
            #expect(try Self.next(client) == (1, "the last one"))
        }
    }

    /// One who is always a little behind: what it has taken is let go.
    @Test func whatWasTakenIsNotHeld() async throws {
        try await withServer { fixture in
            let client = try Self.open(fixture, receiveBufferBytes: 4_096)
            try client.send(Self.frame(1, "flood"))
            var taken = 0
            while try Self.next(client).text != "end" { taken += 1 }
            #expect(taken == Sockets.floodFrames)
            #expect(fixture.sockets.mostHeld < 2_000_000, "\(fixture.sockets.mostHeld)")
            #expect(fixture.sockets.mostHeld > Sockets.frameBytes)
        }
    }
}

/// Echoes texts; `flood` has more sent than the client takes at once.
final class Sockets: Sendable {
    static let floodFrames = 300
    static let frameBytes = 65_000

    private let held = Mutex(0)
    /// The most bytes that a connection held for its client.
    var mostHeld: Int { held.withLock { $0 } }

    func add(to router: inout Router) {
        router.add(.get, "/socket") { [self] request in
            // Handshakes of these tests are sound.
            try! WebSocketHandshake.accept(request) { [self] socket in
                while let message = await socket.next() {
                    guard case .text(let text) = message else { continue }
                    if text == Array("flood".utf8) { await flood(socket) } else { socket.send(text: text) }
                }
            }
        }
    }

    private func flood(_ socket: WebSocket) async {
        for _ in 0..<Self.floodFrames {
            guard await socket.hasRoom() else { return }
            socket.send(text: [UInt8](repeating: UInt8(ascii: "x"), count: Self.frameBytes))
            let bytes = socket.connection?.output.count ?? 0
            held.withLock { $0 = max($0, bytes) }
        }
        _ = await socket.hasRoom()
        socket.send(text: Array("end".utf8))
    }
}
