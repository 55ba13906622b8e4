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
            for _ in 0..<Sockets.floodFrames {
                try wait(for: "something that waits for the client") {
                    fixture.sockets.state.unsent > Sockets.frameBytes || fixture.sockets.state.isFlooded
                }
                #expect(try Self.next(client).text.utf8.count == Sockets.frameBytes)
            }
            #expect(try Self.next(client).text == "end")
            #expect(fixture.sockets.state.mostHeld < 2_000_000, "\(fixture.sockets.state.mostHeld)")
            #expect(fixture.sockets.state.mostHeld > Sockets.frameBytes)
        }
    }

    /// Who waits for room holds no more than what is told next, however much follows.
    @Test func thereIsRoomOnceAllIsTaken() async throws {
        try await withServer { fixture in
            let client = try Self.open(fixture, receiveBufferBytes: 4_096)
            try client.send(Self.frame(1, "pour"))
            for _ in 0..<Sockets.floodFrames { _ = try Self.next(client) }
            #expect(try Self.next(client).text == "end")
            #expect(fixture.sockets.state.mostUnsent <= Sockets.frameBytes + 10)
        }
    }

    /// Who serves it hears of a socket only then: it is told, and nothing is kept.
    @Test func oneThatIsClosedAtOnceLeavesNothing() async throws {
        try await withServer { fixture in
            for _ in 0..<10 {
                let client = try fixture.connect()
                try client.send(Array(Self.handshake.utf8) + [0x88, 0x80, 0, 0, 0, 0])
                #expect(try client.answer(toHead: true).status == 101)
            }
            try wait(for: "the ends") { fixture.sockets.state.served == 10 && fixture.sockets.state.ended == 10 }
            try wait(for: "nothing to be held") { fixture.sockets.state.holds == 0 }
        }
    }

    /// What is set once the connection is gone is let go at once.
    @Test func oneThatIsGoneHoldsNothing() async throws {
        try await withServer { fixture in
            let client = try Self.open(fixture)
            try client.send(Self.frame(1, "hold later"))
            try wait(for: "the wait") { fixture.sockets.state.isWaiting }
            client.close()
            try wait(for: "the end") { fixture.sockets.state.ended == 1 }
            try wait(for: "nothing to be held") { !fixture.sockets.state.isWaiting && fixture.sockets.state.holds == 0 }
        }
    }

    // MARK: Those that are slow

    private static func leaveMuch(_ configuration: inout HTTPConfiguration) {
        configuration.webSockets.unsentBytes = 20_000_000
    }

    /// It takes a little again and again, and never closes: that does not keep it.
    @Test func whatIsClosedHasOneDeadline() async throws {
        func configure(_ configuration: inout HTTPConfiguration) {
            Self.leaveMuch(&configuration)
            configuration.writeTimeoutMilliseconds = 1_000
        }
        try await withServer(configure) { fixture in
            let client = try Self.open(fixture)
            try client.send(Self.frame(1, "leave 16000000"))
            var taken = 0
            try wait(for: "the end of the connection") {
                guard fixture.connectionCount > 0, taken < 16_000_000 else { return true }
                // At each look, a millisecond apart at least: all of it takes longer than there is.
                taken += try client.bytes(2_048).count
                return false
            }
            #expect(taken < 16_000_000)
        }
    }

    /// As does what it leaves untaken.
    @Test func whatIsClosedCountsUntilItIsGone() async throws {
        try await withServer(Self.leaveMuch) { fixture in
            let client = try Self.open(fixture)
            try client.send(Self.frame(1, "leave 8000000"))
            try wait(for: "the end of the socket") { fixture.sockets.state.closed.count == 1 }
            let budget = fixture.server.configuration.webSockets.unsentBudget
            #expect(fixture.connectionCount == 1 && fixture.sockets.state.holds == 1)
            #expect(budget.used >= 8_000_000)
            client.reset()
            try wait(for: "the end of what it held") { fixture.sockets.state.holds == 0 }
            try wait(for: "the end of what it left") { budget.used == 0 }
        }
    }

    /// Of one client's sockets the slowest goes, and others' are not touched, though one leaves as much.
    @Test func aClientsUntakenBytesAreBoundedTogether() async throws {
        try await withServer(Self.leaveMuch) { fixture in
            func fill(_ name: String, of client: String, _ bytes: Int) throws -> Client {
                let socket = try Self.open(fixture, receiveBufferBytes: 4_096)
                try socket.send(Self.frame(1, "fill \(name) \(client) \(bytes)"))
                try wait(for: "\(name)'s being full") { fixture.sockets.state.filled.contains(name) }
                return socket
            }
            let slowest = try fill("slowest", of: "a", Sockets.bytesOfClient * 2 / 3)
            let other = try fill("other", of: "b", Sockets.bytesOfClient * 2 / 3)
            #expect(fixture.sockets.state.closed.isEmpty)
            let own = try fill("own", of: "a", Sockets.bytesOfClient / 2)
            #expect(fixture.sockets.state.closed == ["slowest"])
            // What it had not begun to take is not held for it.
            #expect(try fixture.sockets.unsent("slowest", on: fixture.loop) <= Sockets.frameBytes + 100)
            while true {
                let (opcode, text) = try Self.next(slowest)
                #expect(opcode == 8 || text.utf8.count == Sockets.frameBytes)
                guard opcode == 8 else { continue }
                #expect(text.utf8.dropFirst(2).starts(with: "too slow".utf8))
                break
            }
            for socket in [own, other] { try socket.send(Self.frame(1, "still here")) }
            for socket in [own, other] { while try Self.next(socket).text != "still here" {} }
            #expect(fixture.sockets.state.closed == ["slowest"])
        }
    }
}

/// Echoes texts. `flood` and `pour` send more than the client takes at once, `fill` and `leave` until so much is untaken, and
/// `leave` closes then.
final class Sockets: Sendable {
    static let floodFrames = 300
    static let frameBytes = 65_000
    static let bytesOfClient = 3_000_000

    struct State {
        /// Bytes that a connection held for its client, and those that it had not taken.
        var (mostHeld, unsent, mostUnsent) = (0, 0, 0)
        var isFlooded = false
        var isWaiting = false
        var (filled, closed): ([String], [String]) = ([], [])
        var holds = 0
        /// Sockets that were served, and those whose server was told of their end.
        var (served, ended) = (0, 0)
    }

    private final class Hold {
        let state: Sockets
        init(_ state: Sockets) {
            self.state = state
            state.mutex.withLock { $0.holds += 1 }
        }
        deinit { state.mutex.withLock { $0.holds -= 1 } }
    }

    private let mutex = Mutex(State())
    private let connections = Mutex<[String: Connection]>([:])
    private let clients = UnsentClients(bytes: bytesOfClient)
    var state: State { mutex.withLock { $0 } }

    /// What a socket's client has not taken.
    func unsent(_ name: String, on loop: EventLoop) throws -> Int {
        let unsent = Mutex<Int?>(nil)
        loop.execute { [self] in
            let bytes = connections.withLock { $0[name] }?.unsentBytes
            unsent.withLock { $0 = bytes ?? 0 }
        }
        try wait(for: "the loop") { unsent.withLock { $0 } != nil }
        return unsent.withLock { $0! }
    }

    func add(to router: inout Router, _ loop: EventLoop) {
        router.add(.get, "/socket") { [self] request in
            // Handshakes of these tests are sound.
            try! WebSocketHandshake.accept(request) { [self] socket in
                // As who serves one does: of something that refers to the socket itself.
                let hold = Hold(self)
                socket.onClose = { [self] in
                    _ = (socket, hold)
                    mutex.withLock { $0.ended += 1 }
                }
                mutex.withLock { $0.served += 1 }
                while let message = await socket.next() {
                    guard case .text(let text) = message else { continue }
                    let words = String(decoding: text, as: UTF8.self).split(separator: " ").map(String.init)
                    switch words[0] {
                    case "flood": await flood(socket, loop)
                    case "pour": await pour(socket)
                    case "fill": fill(socket, named: words[1], of: words[2], Int(words[3])!)
                    case "hold":
                        mutex.withLock { $0.isWaiting = true }
                        while !socket.isClosed { await loop.wait(milliseconds: 1) }
                        // For its connection to be gone as well.
                        while socket.connection != nil { await loop.wait(milliseconds: 1) }
                        socket.hold = Hold(self)
                        mutex.withLock { $0.isWaiting = false }
                    case "leave":
                        socket.hold = Hold(self)
                        fill(socket, named: "leaving", of: nil, Int(words[1])!)
                        socket.close(WebSocketClosure(1000, ""))
                    default: socket.send(text: text)
                    }
                }
            }
        }
    }

    private func sendFrame(_ socket: WebSocket) {
        socket.send(text: [UInt8](repeating: UInt8(ascii: "x"), count: Self.frameBytes))
        note(socket)
    }

    private func note(_ socket: WebSocket) {
        let (held, unsent) = (socket.connection?.output.count ?? 0, socket.connection?.unsentBytes ?? 0)
        mutex.withLock { state in
            state.mostHeld = max(state.mostHeld, held)
            state.unsent = unsent
            state.mostUnsent = max(state.mostUnsent, unsent)
        }
    }

    /// So that two frames are always untaken.
    private func flood(_ socket: WebSocket, _ loop: EventLoop) async {
        for _ in 0..<Self.floodFrames {
            while let connection = socket.connection, connection.unsentBytes > 2 * Self.frameBytes {
                note(socket)
                await loop.wait(milliseconds: 1)
            }
            sendFrame(socket)
        }
        mutex.withLock { $0.isFlooded = true }
        _ = await socket.hasRoom()
        socket.send(text: Array("end".utf8))
    }

    private func pour(_ socket: WebSocket) async {
        for _ in 0..<Self.floodFrames {
            guard await socket.hasRoom() else { return }
            sendFrame(socket)
        }
        _ = await socket.hasRoom()
        socket.send(text: Array("end".utf8))
    }

    private func fill(_ socket: WebSocket, named name: String, of client: String?, _ bytes: Int) {
        socket.onClose = { [self] in mutex.withLock { $0.closed.append(name) } }
        connections.withLock { $0[name] = socket.connection }
        if let client { socket.share(in: clients, of: client) }
        while let connection = socket.connection, !socket.isClosed, connection.unsentBytes < bytes { sendFrame(socket) }
        mutex.withLock { $0.filled.append(name) }
    }
}
