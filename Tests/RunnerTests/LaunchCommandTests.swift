import RedisTestSupport
import TestTurns
import Testing

@testable import Runner

@Suite(.takesTurns) struct LaunchCommandTests {
    @Test(arguments: [
        ("bot", ["bot"]),
        ("  docker run  --rm\t--name {container_name} ", ["docker", "run", "--rm", "--name", "{container_name}"]),
        (#"'a b' "c d" e\ f"#, ["a b", "c d", "e f"]),
        (#"a'b'"c" '' "" "#, ["abc", "", ""]),
        (#""x\"y\\z\n" '\"'"#, [#"x"y\z\n"#, #"\""#]),
        ("a $HOME * > b; c | d", ["a", "$HOME", "*", ">", "b;", "c", "|", "d"]),
    ])
    func wordsAreSplitAsAShellWouldAndNothingElseIsDone(text: String, words: [String]) throws {
        #expect(try LaunchCommand(text).words == words)
    }

    @Test(arguments: ["", "  ", "'", "a \"b", "a \\", "'' a", "a\0b", String(repeating: "a", count: 20_000)])
    func aCommandThatCannotBeMeantIsRefused(text: String) {
        #expect(throws: LaunchCommand.Invalid.self) { try LaunchCommand(text) }
    }

    @Test func aProgramThatCannotBeRunIsToldInWords() throws {
        let folder = try TemporaryFolder.make()
        func obstacle(_ program: String) throws -> String? {
            try LaunchCommand("'\(program)' --fast").obstacle(searchPath: "/usr/bin:/bin:\(folder.path)")
        }
        #expect(try obstacle("sh") == nil)
        #expect(try obstacle("/bin/sh") == nil)
        #expect(try obstacle("no-such-bot") == "is in no folder of PATH")
        #expect(try obstacle("/nowhere/bot") == "cannot be run: No such file or directory")
        #expect(try obstacle("/etc/passwd") == "cannot be run: Permission denied")
        #expect(try obstacle(folder.path) == "cannot be run: it is no file")
        #expect(try obstacle("/nowhere/{platform}") == nil, "that depends on the bot")
    }

    @Test func knownNamesAreReplacedWithinWordsAndOtherBracesStay() throws {
        let command = try LaunchCommand("run {bot_id}.log {bot_id}{n} '{\"a\":{}}' {unknown}")
        #expect(
            command.words(replacing: ["bot_id": "b 1", "n": "2"])
                == ["run", "b 1.log", "b 12", "{\"a\":{}}", "{unknown}"])
    }
}
