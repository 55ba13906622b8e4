import Foundation
import Scripts
import Testing

/// The files of `lua/`, by name.
private enum LuaFolder {
    static let scripts = read("lua")
    static let includes = read("lua/includes")

    private static func read(_ path: String) -> [String: String] {
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
        let folder = package.appendingPathComponent(path)
        var files: [String: String] = [:]
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        where name.hasSuffix(".lua") {
            files[String(name.dropLast(4))] = try? String(
                contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
        }
        return files
    }
}

@Suite struct ScriptsTests {
    @Test(arguments: LuaFolder.scripts.keys.sorted())
    func aScriptIsWhatItsHeaderSays(_ name: String) throws {
        let text = try #require(LuaFolder.scripts[name])
        #expect(LuaLint(text, includes: LuaFolder.includes).problems == [])
    }

    @Test(arguments: LuaFolder.includes.keys.sorted())
    func anIncludeTouchesOnlyTheKeysThatItIsGiven(_ name: String) throws {
        #expect(LuaLint.problems(ofInclude: try #require(LuaFolder.includes[name]), beside: LuaFolder.includes) == [])
    }

    @Test func everyFileIsEmbeddedAndEveryIncludeUsed() {
        #expect(Scripts.all.map(\.name).sorted() == LuaFolder.scripts.keys.sorted())
        let directives = LuaFolder.scripts.values.flatMap { $0.split(separator: "\n") }
            .filter { $0.hasPrefix("-- include: ") }.map { String($0.dropFirst(12)) }
        #expect(Set(directives) == Set(LuaFolder.includes.keys))
    }

    @Test(arguments: Scripts.all.map(\.name))
    func whatRedisGetsHasItsIncludesOnceAndNoComments(_ name: String) throws {
        let text = try #require(Scripts.all.first { $0.name == name }).text
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(!lines.contains { $0.hasPrefix("--") || $0.isEmpty })
        let functions = lines.filter { $0.hasPrefix("local function ") }
        #expect(functions.count == Set(functions).count)
        let file = try #require(LuaFolder.scripts[name])
        for (include, includeText) in LuaFolder.includes {
            let isIncluded = lines.joined(separator: "\n").contains(code(of: includeText))
            #expect(isIncluded == file.contains("\n-- include: \(include)\n"), "\(include)")
        }
        // All that is left is the script's own code.
        #expect(text.hasSuffix(code(of: file)))
    }

    private func code(of text: String) -> String {
        text.split(separator: "\n").filter { !$0.hasPrefix("--") }.joined(separator: "\n")
    }
}

@Suite struct LuaLintTests {
    private static let includes = ["time": "local function now_ms()\n  return redis.call('TIME')[1] * 1000\nend\n"]

    private static let good = """
        -- Gives a lock back.
        --
        -- KEYS[1]  usher:{pX}:lock           string: whose it is
        -- KEYS[2]  usher:key:<sha256 of it>  hash: what it is
        -- ARGV[1]  the token
        -- ARGV[2...]  fields
        --
        -- Returns 1 done, 0 another's,
        -- -1 none
        --         {2, at ms}  both

        -- include: time

        local token = redis.call('GET', KEYS[1])
        if token == ARGV[1] then return 1 end
        if not token then return -1 end
        for index = 1, #token do token = index end
        redis.call('HSET', KEYS[2], 'a-b', unpack(ARGV, 2))
        if token then return {2, now_ms()} end
        return 0

        """

    @Test func aGoodSamplePasses() {
        #expect(LuaLint(Self.good, includes: Self.includes).problems == [])
    }

    @Test(arguments: [
        ("'GET', KEYS[1]", "'GET', KEYS[3]", "does not document KEYS[3]"),
        ("'GET', KEYS[1]", "'GET', KEYS[2]", "does not use KEYS[1]"),
        ("== ARGV[1]", "== 'x'", "does not use ARGV[1]"),
        ("unpack(ARGV, 2)", "ARGV[2]", "does not document ARGV[2]"),
        ("unpack(ARGV, 2)", "unpack(ARGV, 3)", "does not use ARGV[2...]"),
        ("unpack(ARGV, 2)", "unpack(ARGV)", "uses ARGV other than by a fixed index"),
        ("KEYS[1])", "KEYS[#KEYS])", "uses KEYS other than by a fixed index"),
        ("-- ARGV[2...]", "-- ARGV[3...]", "documents ARGV[3...] where ARGV[2] is due"),
        ("-- KEYS[1]  usher:{pX}:lock           string:", "-- KEYS[1]  lock  string:", "without a pattern and a type"),
        ("string: whose", "text: whose", "without a pattern and a type"),
        ("string: whose", "whose", "without a pattern and a type"),
        ("return -1", "return -4", "does not document the result -4"),
        ("return -1", "return -4", "documents the result -1, which it never returns"),
        ("return {2", "return {3", "does not document the result {3"),
        ("return {2, now_ms()}", "return 1", "documents the result {2, which it never returns"),
        ("-- Returns 1", "-- Gives 1", "does not document what it returns"),
        ("-- include: time", "-- include: clock", "includes clock, which is not there"),
        ("-- include: time", "-- include: time\n-- include: time", "includes a file twice"),
        ("now_ms()", "7", "includes time and does not use it"),
        ("'GET', KEYS[1]", "'GET', 'usher:lock'", "calls GET on another key"),
        ("'GET', KEYS[1]", "'GET', token", "calls GET on another key"),
        ("redis.call('GET'", "redis.pcall('GET'", "uses redis other than by redis.call"),
        ("redis.call('GET'", "redis.call(ARGV[1]", "uses redis other than by redis.call"),
        ("local token", "token", "uses token, which is no local"),
        ("do token = index end", "do last = index end", "uses last, which is no local"),
        ("return 0\n", "function f() end\nreturn 0\n", "declares a function that is global"),
    ])
    func aBadSampleIsFound(_ sample: (from: String, to: String, problem: String)) {
        let bad = Self.good.replacingOccurrences(of: sample.from, with: sample.to)
        #expect(bad != Self.good)
        let problems = LuaLint(bad, includes: Self.includes).problems
        #expect(problems.contains { $0.contains(sample.problem) }, "\(problems)")
    }

    @Test func aLongScriptIsFound() {
        let long = Self.good + String(repeating: "\n", count: 81)
        #expect(LuaLint(long, includes: Self.includes).problems.contains { $0.contains("lines, over 80") })
    }

    @Test(arguments: [
        ("local function f(key)\n  redis.call('DEL', key)\nend", "calls DEL on another key"),
        ("local function f()\n  return KEYS[1]\nend", "uses KEYS or ARGV"), ("local a = 1", "has no function"),
        ("local function f()\n  a = 1\nend", "uses a, which is no local"),
    ])
    func aBadIncludeIsFound(_ text: String, _ problem: String) {
        #expect(LuaLint.problems(ofInclude: text).contains { $0.contains(problem) })
    }

    @Test func anIncludeMustBeGivenOneOfTheKeys() {
        let includes = ["time": "local function now_ms(a_key)\n  return redis.call('GET', a_key)\nend\n"]
        let problems = LuaLint(Self.good, includes: includes).problems
        #expect(problems == ["calls now_ms with another key than one of KEYS"])
    }
}
