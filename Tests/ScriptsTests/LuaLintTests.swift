import Foundation
import Testing

/// The lint itself: a good sample passes, and each bad one is found.
@Suite struct LuaLintTests {
    private static let includes = ["time": "local function now_ms()\n  return redis.call('TIME')[1] * 1000\nend\n"]

    private static let good = """
        -- Gives a lock back.
        --
        -- flags: allow-oom
        --
        -- KEYS[1]  usher:{pX}:lock           string: whose it is
        -- KEYS[2]  usher:key:<sha256 of it>  hash: what it is
        -- ARGV[1]  the token
        -- ARGV[2...]  fields
        --
        -- Returns 1 done, or 0 another's,
        -- -1 none
        --         {2, at ms}  both

        -- include: time

        local token = redis.call('GET', KEYS[1])
        if token == ARGV[1] then return 1 end
        if not token then return -1 end
        for index = 1, #token do token = {last = index} end
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
        ("unpack(ARGV, 2)", "unpack(ARGV)", "does not document ARGV[1...]"),
        ("unpack(ARGV, 2)", "unpack(ARGV, 2, 3)", "uses ARGV other than by a fixed index"),
        ("unpack(ARGV, 2)", "#ARGV", "uses ARGV other than by a fixed index"),
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
        ("redis.call('GET'", "redis.pcall('GET'", "does not look at the error of GET"),
        ("redis.call('GET'", "redis.call(ARGV[1]", "uses redis other than by redis.call"),
        ("local token", "token", "uses token, which is no local"),
        ("token = {last = index}", "last = {index}", "uses last, which is no local"),
        ("token = {last = index}", "token = {{index}, last}", "uses last, which is no local"),
        ("token = {last = index}", "token = {index == last}", "uses last, which is no local"),
        ("do token = {last = index} end", "do last = index end", "uses last, which is no local"),
        ("return 0\n", "function f() end\nreturn 0\n", "declares a function that is global"),
        ("'GET', KEYS[1])", "'DEL', KEYS[1], 'usher:lock')", "calls DEL on another key"),
        ("'GET', KEYS[1])", "'XINFO', KEYS[1])", "calls XINFO without a fixed subcommand"),
        ("'GET', KEYS[1])", "'XINFO', 'STREAM', 'usher:lock')", "calls XINFO on another key"),
        ("'GET', KEYS[1])", "'XREADGROUP', 'GROUP', 'g', KEYS[1], KEYS[1])", "calls XREADGROUP without STREAMS"),
        (
            "'GET', KEYS[1])", "'XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', 'usher:lock', '>')",
            "calls XREADGROUP on another key"
        ),
        ("or 0 another's", "or {0 another's", "braces that do not match"),
        ("-- flags: allow-oom", "-- flags: allow-oon", "has the unknown flag allow-oon"),
        ("-- flags: allow-oom", "-- flags: allow-oom\n-- flags: allow-oom", "has two lines of flags"),
        ("-- ARGV[1]  the token", "-- flags: allow-oom\n-- ARGV[1]  the token", "has two lines of flags"),
        ("local token = redis", "local long_\(String(repeating: "g", count: 120)), token = redis", ", over 120"),
    ])
    func aBadSampleIsFound(_ sample: (from: String, to: String, problem: String)) {
        let bad = Self.good.replacingOccurrences(of: sample.from, with: sample.to)
        #expect(bad != Self.good)
        let problems = LuaLint(bad, includes: Self.includes).problems
        #expect(problems.contains { $0.contains(sample.problem) }, "\(problems)")
    }

    @Test func aLongScriptIsFound() {
        let long = Self.good + String(repeating: "\n", count: 81)
        #expect(LuaLint(long, includes: Self.includes).problems.contains { $0.contains("lines, over 100") })
    }

    // MARK: Loops, pcall and functions of the script's own

    private static let goodLoops = """
        -- Reads some.
        --
        -- KEYS[1]     usher:{pX}:leases  zset: of all
        -- KEYS[2...]  usher:{pX}:bot     hash: of each
        -- ARGV[1]     a number
        -- ARGV[2...]  bot_ids, each followed by a name
        --
        -- Returns how many; 0 if there are none, or {-2, with
        -- 1 thing} if all is void, or {-3}

        local function void(reason, code)
          if reason then return {code} end
          return {-3}
        end

        local members = redis.pcall('XINFO', 'GROUPS', KEYS[1])
        if members.err then return 0 end
        if #ARGV > 1 then return void(ARGV[1], -2) end
        for index = 2, #ARGV do
          redis.call('HSET', KEYS[index], 'name', ARGV[index])
        end
        for index = 2, #ARGV, 2 do
          redis.call('HSET', KEYS[1], ARGV[index], ARGV[index + 1])
        end
        return #members

        """

    @Test func aGoodSampleWithLoopsPasses() {
        #expect(LuaLint(Self.goodLoops, includes: [:]).problems == [])
    }

    @Test(arguments: [
        ("KEYS[index]", "KEYS[index - 1]", "does not document KEYS[1...]"),
        ("KEYS[index]", "KEYS[index * 1]", "uses KEYS other than by a fixed index"),
        ("KEYS[index]", "KEYS[count]", "uses KEYS other than by a fixed index"),
        ("'HSET', KEYS[1], ARGV", "'HSET', KEYS[index], ARGV", "uses KEYS other than by a fixed index"),
        ("ARGV[index + 1]", "ARGV[index + 2]", "uses ARGV other than by a fixed index"),
        ("ARGV[index + 1]", "ARGV[index - 1]", "uses ARGV other than by a fixed index"),
        ("'name', ARGV[index]", "'name', ARGV[index + 1]", "uses ARGV other than by a fixed index"),
        ("return #members", "return ARGV[index]", "uses ARGV other than by a fixed index"),
        ("index = 2, #ARGV do", "index = 3, #ARGV do", "does not document ARGV[3...]"),
        ("index = 2, #ARGV do", "index = 2, #ARGV - 1 do", "uses ARGV other than by a fixed index"),
        ("index = 2, #ARGV do", "index = 2, #KEYS do", "uses KEYS other than by a fixed index"),
        ("'name', ARGV[index])", "'name', ARGV[index])\nindex = 9", "uses ARGV other than by a fixed index"),
        ("#ARGV > 1", "#ARGV > 2", "uses ARGV other than by a fixed index"),
        ("#ARGV > 1", "#KEYS == 1", "uses KEYS other than by a fixed index"),
        ("if members.err", "if members", "does not look at the error of XINFO"),
        ("-2) end", "-4) end", "does not document the result {-4"),
        ("-2) end", "-4) end", "documents the result {-2, which it never returns"),
        ("return {-3}", "return {-5}", "does not document the result {-5"),
        ("return void(ARGV[1], -2)", "void(ARGV[1], -2)", "documents the result {-2, which it never returns"),
        ("; 0 if", "; none if", "does not document the result 0"),
    ])
    func aBadLoopOrResultIsFound(_ sample: (from: String, to: String, problem: String)) {
        let bad = Self.goodLoops.replacingOccurrences(of: sample.from, with: sample.to)
        #expect(bad != Self.goodLoops)
        let problems = LuaLint(bad, includes: [:]).problems
        #expect(problems.contains { $0.contains(sample.problem) }, "\(problems)")
    }

    // MARK: Keys by way of includes

    private static let bots = [
        "events": "local function record(events_key, what)\n  redis.call('XADD', events_key, '*', 'what', what)\nend\n",
        "bots": """
        local function free(keys, bot_id)
          redis.call('ZREM', keys.bots, bot_id)
        end

        local function finish(keys, bot_id)
          record(keys.events, bot_id)
          free(keys, bot_id)
        end

        """,
    ]

    private static let goodKeys = """
        -- Ends a bot.
        --
        -- KEYS[1]  usher:{pX}:bots    zset: bots
        -- KEYS[2]  usher:{pX}:events  stream: what happened
        -- ARGV[1]  bot_id
        --
        -- Returns 1

        -- include: events
        -- include: bots

        local keys = {bots = KEYS[1], events = KEYS[2]}
        finish(keys, ARGV[1])
        record(KEYS[2], 'more')
        return 1

        """

    @Test func aGoodSampleWithATableOfKeysPasses() {
        #expect(LuaLint(Self.goodKeys, includes: Self.bots).problems == [])
        for (_, text) in Self.bots { #expect(LuaLint.problems(ofInclude: text, includes: Self.bots) == []) }
    }

    @Test(arguments: [
        ("bots = KEYS[1], ", "", "calls finish without the key bots"),
        ("events = KEYS[2]", "events = KEYS[2], more = KEYS[1]", "gives keys the key more, which nothing takes"),
        ("events = KEYS[2]", "events = 'usher:events'", "calls finish with keys that are no table of KEYS"),
        ("events = KEYS[2]", "events = KEYS[2] .. ARGV[1]", "calls finish with keys that are no table of KEYS"),
        ("finish(keys,", "finish({bots = ARGV[1]},", "calls finish with keys that are no table of KEYS"),
        ("finish(keys,", "finish(keys.bots,", "calls finish with keys that are no table of KEYS"),
        ("finish(keys,", "keys.bots = ARGV[1]\nfinish(keys,", "uses keys other than to give its keys"),
        ("finish(keys,", "local again = keys\nfinish(keys,", "uses keys other than to give its keys"),
        ("finish(keys,", "redis.call('DEL', keys.bots)\nfinish(keys,", "calls DEL on another key"),
        ("finish(keys,", "local keys = {bots = KEYS[1]}\nfinish(keys,", "declares the table keys twice"),
        ("finish(keys,", "local other = finish\nother(keys,", "uses finish other than by calling it"),
        ("record(KEYS[2]", "record(ARGV[1]", "calls record with another key than one of KEYS"),
        ("record(KEYS[2]", "record('usher:events'", "calls record with another key than one of KEYS"),
        ("-- include: events\n", "", "does not include events before bots, which uses it"),
        (
            "-- include: events\n-- include: bots", "-- include: bots\n-- include: events",
            "does not include events before bots"
        ),
    ])
    func aBadTableOfKeysIsFound(_ sample: (from: String, to: String, problem: String)) {
        let bad = Self.goodKeys.replacingOccurrences(of: sample.from, with: sample.to)
        #expect(bad != Self.goodKeys)
        let problems = LuaLint(bad, includes: Self.bots).problems
        #expect(problems.contains { $0.contains(sample.problem) }, "\(problems)")
    }

    // MARK: Includes

    @Test(arguments: [
        ("local function f(key)\n  redis.call('DEL', key)\nend", "calls DEL on another key"),
        ("local function f()\n  return KEYS[1]\nend", "uses KEYS or ARGV"), ("local a = 1", "has no function"),
        ("local function f()\n  a = 1\nend", "uses a, which is no local"),
        ("local function f()\n  return 1\nend\nf()", "has code outside its functions"),
        ("local function f(keys)\n  redis.call('DEL', keys)\nend", "calls DEL on another key"),
        ("local function f(keys)\n  keys.bots = 1\nend", "uses keys other than as a key"),
        ("local function f(a_key)\n  a_key = 1\nend", "uses a_key other than as a key"),
        ("local function f(a, b_key)\n  redis.call('DEL', b_key)\nend", "takes a key that is not the first parameter"),
        ("local function f(a, keys)\n  return a\nend", "takes a key that is not the first parameter"),
        ("local function f(keys)\n  record('usher:events', 1)\nend", "calls record with another key"),
        ("local function f(id)\n  free({bots = id}, id)\nend", "calls free with keys that it is not given"),
        ("local function f(keys)\n  local g = free\n  g(1)\nend", "uses free other than by calling it"),
        ("local function f()\n  return g()\nend\nlocal function g()\n  return 1\nend", "uses g, which is no local"),
    ])
    func aBadIncludeIsFound(_ text: String, _ problem: String) {
        let problems = LuaLint.problems(ofInclude: text, includes: Self.bots)
        #expect(problems.contains { $0.contains(problem) }, "\(problems)")
    }

    @Test func anIncludeMustBeGivenOneOfTheKeys() {
        let includes = ["time": "local function now_ms(a_key)\n  return redis.call('GET', a_key)\nend\n"]
        let problems = LuaLint(Self.good, includes: includes).problems
        #expect(problems == ["calls now_ms with another key than one of KEYS"])
    }
}
