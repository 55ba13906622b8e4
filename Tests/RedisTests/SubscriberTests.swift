import EventLoop
import Foundation
import Log
import Redis
import RedisTestSupport
import Synchronization
import TestTurns
import Testing

/// The subscriber on a real Redis, and on peers that say odd things.
@Suite(.takesTurns, .timeLimit(.minutes(14))) struct SubscriberTests {
    /// What a subscriber has told, readable from the test's thread.
    final class Record: Sendable {
        private let events = Mutex<[SubscriberEvent]>([])

        var all: [SubscriberEvent] { events.withLock { $0 } }

        func append(_ event: SubscriberEvent) { events.withLock { $0.append(event) } }

        func count(_ event: SubscriberEvent) -> Int { all.count { $0 == event } }
    }

    static func withSubscriber(
        _ url: RedisURL, channels: [String],
        _ body: @escaping @Sendable (Subscriber, EventLoop, Record) async throws -> Void
    ) async throws {
        let loop = try EventLoop(name: "subscriber")
        try loop.start()
        defer {
            loop.stop()
            loop.join()
        }
        try await Task(executorPreference: loop) {
            let record = Record()
            var configuration = ClientConfiguration(url: url, name: "usher-test-subscriber")
            configuration.backoffMilliseconds = 1...20
            let subscriber = Subscriber(
                loop: loop, configuration: configuration, logger: Logger(minimum: .error), onEvent: record.append)
            for channel in channels { subscriber.subscribe(to: channel) }
            subscriber.start()
            try await body(subscriber, loop, record)
            subscriber.shutDown()
        }.value
    }

    static func channel() -> String { "test:\(UUID().uuidString)" }

    @Test func messagesOfTheChannelsArriveInOrder() async throws {
        let server = try RedisServer.shared()
        let (first, second) = (Self.channel(), Self.channel())
        let large = String(repeating: "ü\0\r\n", count: 20_000)
        try await Self.withSubscriber(server.url, channels: [first, second]) { _, _, record in
            try await waitFor("both channels are subscribed") {
                record.count(.subscribed(channel: first)) == 1 && record.count(.subscribed(channel: second)) == 1
            }
            try await withClient(ClientConfiguration(url: server.url, name: "n")) { client in
                try await client.waitUntilConnected()
                for number in 0..<100 {
                    #expect(try await client.send("PUBLISH", first, "\(number)") == .integer(1))
                }
                #expect(try await client.send("PUBLISH", second, large) == .integer(1))
                let clients = try await client.send("CLIENT", "LIST").string ?? ""
                #expect(clients.contains("name=usher-test-subscriber"))
            }
            try await waitFor("the last message is there") { record.all.count == 103 }
            let messages = record.all.dropFirst(2)
            #expect(messages.dropLast().elementsEqual((0..<100).map { .message(channel: first, payload: "\($0)") }))
            #expect(messages.last == .message(channel: second, payload: large))
        }
    }

    /// One that is there already is left alone.
    @Test func channelsAreAdded() async throws {
        let server = try RedisServer.shared()
        let (first, second) = (Self.channel(), Self.channel())
        try await Self.withSubscriber(server.url, channels: []) { subscriber, loop, record in
            loop.execute { subscriber.subscribe(to: first) }
            try await waitFor("the channel is subscribed") { record.count(.subscribed(channel: first)) == 1 }
            loop.execute {
                subscriber.subscribe(to: first)
                subscriber.subscribe(to: second)
            }
            try await waitFor("the other is subscribed") { record.count(.subscribed(channel: second)) == 1 }
            #expect(record.count(.subscribed(channel: first)) == 1)
        }
    }

    @Test func afterARestartItSubscribesAgainAndSaysSo() async throws {
        let server = try RedisServer()
        let channel = Self.channel()
        try await Self.withSubscriber(server.url, channels: [channel]) { _, _, record in
            for round in 1...3 {
                try await waitFor("the channel is subscribed") { record.count(.subscribed(channel: channel)) == round }
                server.stop()
                try await waitFor("the loss is told") {
                    record.all.count { if case .lost = $0 { true } else { false } } == round
                }
                try server.start()
            }
            try await waitFor("the channel is subscribed") { record.count(.subscribed(channel: channel)) == 4 }
            try await withClient(ClientConfiguration(url: server.url, name: "n")) { client in
                try await client.waitUntilConnected()
                #expect(try await client.send("PUBLISH", channel, "again") == .integer(1))
            }
            try await waitFor("the message is there") {
                record.all.last == .message(channel: channel, payload: "again")
            }
        }
    }

    @Test func aRefusalIsToldOnceHoweverOftenItIsTried() async throws {
        var options = RedisServer.Options()
        options.arguments = ["--user", "limited", "on", "nopass", "~*", "resetchannels", "+@all"]
        let server = try RedisServer(options)
        let url = try RedisURL("redis+unix://limited:x@\(server.socketPath)")
        try await Self.withSubscriber(url, channels: ["forbidden"]) { _, _, record in
            try await withClient(ClientConfiguration(url: server.url, name: "n")) { client in
                try await client.waitUntilConnected()
                // Each attempt leaves an entry, or raises the count of one.
                try await waitFor("several attempts were refused") {
                    let log = try await client.send("ACL", "LOG").array ?? []
                    let counts = log.compactMap { $0.array?[1].integer }
                    return counts.reduce(0, +) >= 3
                }
            }
            #expect(record.all.count == 1)
            guard case .lost(let reason) = record.all.first else {
                Issue.record("no loss was told: \(record.all)")
                return
            }
            #expect(reason.contains("NOPERM"))
        }
    }

    static let oddReplies = [
        "another protocol": "HTTP/1.1 400 Bad Request\r\n\r\n",
        "numbers for words": "*3\r\n:1\r\n:2\r\n:3\r\n",
        "too few parts": "*1\r\n$3\r\nfoo\r\n",
        "a nil array": "*-1\r\n",
        "an answer to nothing": "+OK\r\n",
        "another channel": "*3\r\n$7\r\nmessage\r\n$1\r\nx\r\n$1\r\nx\r\n",
        "an end that nobody asked for": "*3\r\n$11\r\nunsubscribe\r\n$1\r\nc\r\n$-1\r\n",
        "a number for a message": "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n:5\r\n",
        "an error": "-ERR no\r\n",
        "a message without end": "$2000000\r\n" + String(repeating: "x", count: 1_100_000),
    ]

    /// Those after which the client leaves by itself, and what it says then.
    static let fatalReplies = [
        "another protocol": "unexpected reply from Redis: not a reply of Redis", "an error": "ERR no",
        "a message without end": "a message of over 1048576 bytes",
    ]

    /// A peer that is no Redis, or a hostile one, costs a connection and nothing else.
    @Test(arguments: oddReplies.keys.sorted())
    func oddRepliesEndNothingButTheConnection(name: String) async throws {
        let odd = try #require(Self.oddReplies[name])
        let peer = try FakePeer { socket, number in
            socket.answerLogin()
            guard number > 0 else {
                socket.write(odd)
                if Self.fatalReplies[name] != nil { socket.readToEnd() }
                return
            }
            while let command = socket.readCommand() {
                if command.first == "SUBSCRIBE" {
                    socket.write(
                        "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n")
                }
            }
        }
        try await Self.withSubscriber(RedisURL("redis+unix://\(peer.path)"), channels: ["c"]) { _, _, record in
            try await waitFor("a second connection has brought a message") {
                record.count(.message(channel: "c", payload: "hi")) == 1
            }
            #expect(record.count(.subscribed(channel: "c")) == 1)
            #expect(record.count(.message(channel: "x", payload: "x")) == 0)
            if let reason = Self.fatalReplies[name] { #expect(record.count(.lost(reason: reason)) == 1) }
        }
    }

    /// Its connection stays open: such as of a machine that has lost its network. What nobody publishes cannot tell, so
    /// that it is asked, and left within 20 s.
    @Test func aPeerThatSaysNothingMoreIsLeft() async throws {
        let peer = try FakePeer { socket, _ in
            socket.answerLogin()
            guard socket.readCommand() == ["SUBSCRIBE", "c"] else { return }
            socket.write("*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n")
            while socket.readCommand() != nil {}
        }
        try await Self.withSubscriber(RedisURL("redis+unix://\(peer.path)"), channels: ["c"]) { _, _, record in
            try await waitFor("it is left") { record.count(.lost(reason: "no answer to PING")) == 1 }
            #expect(record.all.first == .subscribed(channel: "c"))
        }
    }

    /// Whoever answers is kept, however little is published. (It takes longer than a silence may.)
    @Test func aPeerThatAnswersIsKept() async throws {
        let pings = Mutex(0)
        let peer = try FakePeer { socket, _ in
            socket.answerLogin()
            guard socket.readCommand() == ["SUBSCRIBE", "c"] else { return }
            socket.write("*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n")
            while socket.readCommand() == ["PING"] {
                pings.withLock { $0 += 1 }
                socket.write("*2\r\n$4\r\npong\r\n$0\r\n\r\n")
            }
        }
        try await Self.withSubscriber(RedisURL("redis+unix://\(peer.path)"), channels: ["c"]) { _, _, record in
            try await waitFor("it was asked five times") { pings.withLock { $0 } == 5 }
            #expect(record.all == [.subscribed(channel: "c")])
            #expect(peer.connectionCount == 1)
        }
    }
}
