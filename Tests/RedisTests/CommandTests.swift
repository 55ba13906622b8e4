import TestTurns
import Testing

@testable import Redis

@Suite(.takesTurns) struct CommandTests {
    /// The words of a command as hiredis reads an array of them, which is how Redis reads it too.
    static func laidOut(_ command: Command) -> [[UInt8]]? {
        let reader = ReplyReader()
        command.bytes.withUnsafeBufferPointer { reader.feed($0) }
        guard let words = try? reader.next()?.array, !reader.hasBegun else { return nil }
        return words.compactMap(\.string).map { Array($0.utf8) }
    }

    static let samples: [[String]] = [
        ["PING"], ["SET", "key", "value"], ["SET", "", ""], [""], ["", "", ""], ["ECHO", "a\0b\0"],
        ["ECHO", "ünï 💥\r\n"],
        ["MSET"] + (0..<2_000).map { "word\($0)" }, ["ECHO", String(repeating: "x", count: 1 << 20)],
    ]

    @Test(arguments: samples) func argumentsAreLaidOutAsTheyWereGiven(_ words: [String]) {
        #expect(Self.laidOut(Command(words: words)) == words.map { Array($0.utf8) })
    }

    @Test(arguments: samples.filter { $0.count > 1 }) func aCommandForManyKeysIsLaidOutForEach(_ words: [String]) {
        let many = CommandForKeys(words[0], arguments: Array(words.dropFirst(2)))
        for key in ["", words[1], String(repeating: "k", count: 1_000)] {
            let expected = [words[0], key] + words.dropFirst(2)
            #expect(Self.laidOut(many.command(key)) == expected.map { Array($0.utf8) })
        }
        #expect(CommandForKeys("SUBSCRIBE", arguments: []).command("x").changesProtocol)
    }

    @Test func commandsThatEndTheOrderOfRepliesAreKnown() {
        for name in ["SUBSCRIBE", "psubscribe", "SSUBSCRIBE", "Unsubscribe", "PUNSUBSCRIBE", "sunsubscribe", "MONITOR"]
        {
            #expect(Command(name, "x").changesProtocol, "\(name)")
        }
        for name in ["", "PUBLISH", "SET", "CLIENT", "EVALSHA", "XREADGROUP"] {
            #expect(!Command(name, "subscribe").changesProtocol, "\(name)")
        }
    }
}

@Suite(.takesTurns) struct ValueTests {
    /// What is read of bytes from the wire.
    static func value(of wire: String) throws -> Value {
        let reader = ReplyReader()
        Array(wire.utf8).withUnsafeBufferPointer { reader.feed($0) }
        return try #require(try reader.next())
    }

    static let samples: [(String, Value)] = [
        ("+OK\r\n", .string("OK")),
        ("-ERR no\r\n", .error("ERR no")),
        (":-9223372036854775808\r\n", .integer(.min)),
        (":9223372036854775807\r\n", .integer(.max)),
        ("$-1\r\n", .null),
        ("*-1\r\n", .null),
        ("$0\r\n\r\n", .string("")),
        ("$4\r\na\0\r\n\r\n", .string("a\0\r\n")),
        ("*0\r\n", .array([])),
        ("*3\r\n:1\r\n$-1\r\n-ERR x\r\n", .array([.integer(1), .null, .error("ERR x")])),
        (
            "*2\r\n*1\r\n*1\r\n*0\r\n*1\r\n$1\r\na\r\n",
            .array([.array([.array([.array([])])]), .array([.string("a")])])
        ),
    ]

    @Test(arguments: samples) func isWhatRedisSent(_ wire: String, _ value: Value) throws {
        #expect(try Self.value(of: wire) == value)
    }

    @Test func brokenTextIsRepaired() throws {
        let reader = ReplyReader()
        (Array("$2\r\n".utf8) + [0xff, 0x61] + Array("\r\n".utf8)).withUnsafeBufferPointer { reader.feed($0) }
        #expect(try reader.next() == .string("\u{fffd}a"))
    }

    /// What a head announces takes nothing before it has come.
    @Test(arguments: ["*2147483647\r\n:1\r\n", "*2147483647\r\n*2147483647\r\n*2147483647\r\n", "$2000000000\r\nx"])
    func whatIsAnnouncedIsNotBelieved(_ wire: String) throws {
        let reader = ReplyReader()
        Array(wire.utf8).withUnsafeBufferPointer { reader.feed($0) }
        #expect(try reader.next() == nil && reader.hasBegun)
    }

    /// In many small parts, of which none waits to be parsed; the next one counts anew.
    @Test func aReplyWithoutEndIsRefused() throws {
        func feed(_ reader: ReplyReader, _ wire: String) {
            Array(wire.utf8).withUnsafeBufferPointer { reader.feed($0) }
        }
        let reader = ReplyReader(maximumBytes: 1_000)
        for _ in 0..<3 {
            feed(reader, "*2\r\n$900\r\n\(String(repeating: "x", count: 900))\r\n:1\r\n")
            #expect(try reader.next()?.array?.count == 2 && !reader.hasBegun)
        }
        feed(reader, "*2147483647\r\n")
        let error = #expect(throws: RedisError.self) {
            for _ in 0..<1_000 {
                feed(reader, ":1\r\n")
                if try reader.next() != nil { return }
            }
        }
        #expect(error == .unexpectedReply("a reply of over 1000 bytes"))
    }

    @Test func aHashIsReadWholeOrNotAtAll() throws {
        #expect(try Value.array([]).hash() == [:])
        #expect(
            try Value.array([.string("a"), .string("1"), .string("b"), .string("")]).hash() == ["a": "1", "b": ""])
        for broken in [Value.array([.string("a")]), .array([.string("a"), .null]), .null, .string("a"), .integer(1)] {
            #expect(throws: RedisError.self) { try broken.hash() }
        }
    }

    @Test func aReplyOfAnotherTypeSaysWhatItIs() throws {
        #expect(throws: RedisError.unexpectedReply("nil in place of a string")) { try Value.null.stringOrThrow() }
        #expect(throws: RedisError.unexpectedReply("a string in place of an integer")) {
            try Value.string("1").integerOrThrow()
        }
        #expect(throws: RedisError.unexpectedReply("an array in place of a string")) {
            try Value.array([]).optionalString()
        }
        #expect(throws: RedisError.unexpectedReply("an integer in place of an array")) {
            try Value.integer(1).arrayOrThrow()
        }
        #expect(throws: RedisError.refused("WRONGTYPE x")) { try Value.error("WRONGTYPE x").integerOrThrow() }
        #expect(try Value.null.optionalString() == nil)
        #expect(try Value.string("x").optionalString() == "x")
    }
}

@Suite(.takesTurns) struct LoginTests {
    static func login(_ url: String, scripts: [Script] = []) throws -> Login {
        Login(ClientConfiguration(url: try RedisURL(url), name: "n", scripts: scripts))
    }

    static let script = Script(name: "one", text: "return 1")

    @Test func saysOnlyWhatTheURLAsksFor() throws {
        let words = { (login: Login) in
            login.commands.map { (CommandTests.laidOut($0) ?? []).map { String(decoding: $0, as: UTF8.self) } }
        }
        #expect(words(try Self.login("redis://h")) == [["CLIENT", "SETNAME", "n"], ["PING"]])
        #expect(
            words(try Self.login("redis://u:p@h/2", scripts: [Self.script])) == [
                ["AUTH", "u", "p"], ["SELECT", "2"], ["CLIENT", "SETNAME", "n"], ["SCRIPT", "LOAD", "return 1"],
                ["PING"],
            ])
        #expect(words(try Self.login("redis://:p@h")).first == ["AUTH", "p"])
    }

    @Test func isReadyWithTheHashesOfItsScripts() throws {
        let outcome = try Self.login("redis://h", scripts: [Self.script])
            .outcome(of: [.string("OK"), .string("abc"), .string("PONG")])
        #expect(outcome == .ready(scriptHashes: ["one": "abc"]))
    }

    /// A Redis before 7.0 knows no flags, and takes the script without them.
    @Test func aScriptCountsWithoutItsFlagsWhereTheyAreNotKnown() throws {
        let flagged = Script(name: "two", text: "#!lua flags=allow-oom\nreturn 2")
        #expect(flagged.withoutFlags == "return 2" && Self.script.withoutFlags == nil)
        let login = try Self.login("redis://h", scripts: [flagged, Self.script])
        let compile = Value.error(
            "ERR Error compiling script (new function): user_script:1: unexpected symbol near '#'")
        func outcome(_ replies: Value...) -> Login.Outcome {
            login.outcome(of: [.string("OK")] + replies + [.string("PONG")])
        }
        #expect(outcome(.string("a"), .string("b"), .string("c")) == .ready(scriptHashes: ["two": "a", "one": "c"]))
        #expect(outcome(compile, .string("b"), .string("c")) == .ready(scriptHashes: ["two": "b", "one": "c"]))
        for refused in [outcome(compile, compile, .string("c")), outcome(.string("a"), compile, .string("c"))] {
            guard case .refused(let text) = refused else {
                Issue.record("\(refused)")
                continue
            }
            #expect(text.hasPrefix("script two: ERR Error compiling"))
        }
        #expect(outcome(.error("NOPERM no"), .string("b"), .string("c")) == .refused("script two: NOPERM no"))
        #expect(outcome(.string("a"), .string("b"), compile) != .ready(scriptHashes: [:]))
    }

    @Test func tellsWhatPassesFromWhatDoesNot() throws {
        let login = try Self.login("redis://h", scripts: [Self.script])
        for text in ["LOADING Redis is loading the dataset in memory", "BUSY Redis is busy", "MASTERDOWN Link is down"]
        {
            #expect(login.outcome(of: [.string("OK"), .error(text), .error(text)]) == .notYet(text))
        }
        #expect(
            login.outcome(of: [.string("OK"), .error("ERR Error compiling"), .string("PONG")])
                == .refused("script one: ERR Error compiling"))
        #expect(
            login.outcome(of: [.string("OK"), .string("abc"), .error("NOPERM no")]) == .refused("NOPERM no"))
        #expect(
            login.outcome(of: [.error("NOAUTH x"), .error("NOAUTH x"), .error("NOAUTH x")]) == .refused("NOAUTH x"))
        guard case .refused = login.outcome(of: [.string("OK"), .integer(1), .string("PONG")]) else {
            Issue.record("a number is no hash")
            return
        }
    }

    /// A server that does not know AUTH, or by another name, repeats its arguments.
    @Test func aRefusalNeverHoldsThePassword() throws {
        let login = try Self.login("redis://:sesame@h")
        let outcome = login.outcome(of: [
            .error("ERR unknown command 'AUTH', with args beginning with: 'sesame'"), .string("OK"), .string("PONG"),
        ])
        guard case .refused(let text) = outcome else {
            Issue.record("not refused: \(outcome)")
            return
        }
        #expect(!text.contains("sesame"))
    }
}
