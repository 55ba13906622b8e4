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
        -- KEYS[1]  lock_key    usher:{pX}:lock           string: whose it is
        -- KEYS[2]  other_key?  usher:key:<sha256 of it>  hash: what it is
        -- ARGV[1]     mine    text: the token
        -- ARGV[2...]  fields  pairs: fields
        --
        -- Returns {'unlocked'}  (change)
        --         {'not_yours'}  another's
        --         {'none'}
        --         {'both', at: integer}  (change): whatever
        --               that is

        -- include: time

        local lock_key, other_key = unpack(KEYS)
        local mine = unpack(ARGV, 1, 1)
        local fields = {unpack(ARGV, 2)}

        local token = redis.call('GET', lock_key)
        if token == mine then return {'unlocked'} end
        if not token then return {'none'} end
        for index = 1, #token do token = {last = index} end
        redis.call('HSET', other_key, 'a-b', unpack(fields))
        if token then return {'both', now_ms()} end
        return {'not_yours'}

        """

    @Test func aGoodSamplePasses() {
        #expect(LuaLint(Self.good, includes: Self.includes).problems == [])
    }

    @Test(arguments: [
        ("'GET', lock_key", "'GET', KEYS[1]", "uses KEYS or ARGV other than by the names"),
        ("== mine", "== ARGV[1]", "uses KEYS or ARGV other than by the names"),
        ("'GET', lock_key", "'GET', other_key", "does not use lock_key"),
        ("== mine", "== 'x'", "does not use mine"),
        ("local lock_key, other_key", "local other_key, lock_key", "does not begin with its names"),
        ("unpack(ARGV, 2)", "unpack(ARGV, 3)", "does not begin with its names"),
        ("local mine = unpack(ARGV, 1, 1)", "local mine = ARGV[1]", "does not begin with its names"),
        ("local mine = unpack(ARGV, 1, 1)\n", "", "does not begin with its names"),
        ("local token", "lock_key = 'usher:lock'\nlocal token", "changes lock_key"),
        ("local token", "local lock_key, token", "declares lock_key again"),
        ("for index", "for _, mine in ipairs(fields) do token = mine end\nfor index", "declares mine again"),
        ("mine    text", "lock_key    text", "has two of one name"),
        ("KEYS[1]  lock_key", "KEYS[2]  lock_key", "has lock_key at another place of KEYS"),
        ("KEYS[2]  other_key", "KEYS[3]  other_key", "has other_key at another place of KEYS"),
        ("ARGV[1]     mine", "ARGV[2]     mine", "has mine at another place of ARGV"),
        ("ARGV[2...]", "ARGV[3...]", "has fields at another place of ARGV"),
        ("KEYS[1]  lock_key", "KEYS[1] lock_key", "has a key that cannot be read"),
        ("lock_key    usher:{pX}:lock           string:", "lock_key    lock  string:", "without a name, a pattern"),
        ("lock_key    usher", "Lock    usher", "without a name, a pattern and a type: Lock"),
        ("lock_key    usher", "lock_key?    usher", "has a key after the last"),
        ("string: whose", "text: whose", "without a name, a pattern and a type"),
        ("string: whose", "whose", "without a name, a pattern and a type"),
        ("text: the token", "string: the token", "has an argument without a name and a type"),
        ("mine    text: the token", "mine", "has an argument without a name and a type"),
        ("pairs: fields", "text: fields", "has an argument without a name and a type"),
        ("ARGV[1]     mine    text", "ARGV[1...]  mine    list", "has an argument after the last"),
        ("{'not_yours'}  another's", "{'Not yours'}  another's", "has a result that cannot be read"),
        ("{'not_yours'}  another's", "{}  another's", "has a result that cannot be read"),
        ("{'not_yours'}  another's", "0  another's", "has a result that cannot be read"),
        ("(change): whatever", "(changed): whatever", "has a result that cannot be read"),
        ("at: integer", "at", "has a result that cannot be read"),
        ("at: integer", "at: number", "has a result that cannot be read"),
        ("{'not_yours'}  another's", "holder: text  another's", "has a result without a word beside others"),
        ("{'not_yours'}  another's", "'not_yours'  another's", "has results both with and without braces"),
        ("return {'none'}", "return {'gone'}", "does not document the result {'gone'"),
        ("return {'none'}", "return {'gone'}", "documents the result {'none', which it never returns"),
        ("return {'none'}", "return 'none'", "does not document the result 'none'"),
        ("return {'none'}", "return {-1}", "does not document the result {-1"),
        ("return {'none'}", "return 0", "does not document the result 0"),
        ("return {'both', now_ms()}", "return token", "documents the result {'both', which it never returns"),
        ("-- Returns {'unlocked'}", "-- Gives {'unlocked'}", "does not document what it returns"),
        ("-- include: time", "-- include: clock", "includes clock, which is not there"),
        ("-- include: time", "-- include: time\n-- include: time", "includes a file twice"),
        ("now_ms()", "7", "includes time and does not use it"),
        ("'GET', lock_key", "'GET', 'usher:lock'", "calls GET on another key"),
        ("'GET', lock_key", "'GET', token", "calls GET on another key"),
        ("redis.call('GET'", "redis.pcall('GET'", "does not look at the error of GET"),
        ("redis.call('GET'", "redis.call(mine", "uses redis other than by redis.call"),
        ("local token", "token", "uses token, which is no local"),
        ("token = {last = index}", "last = {index}", "uses last, which is no local"),
        ("token = {last = index}", "token = {{index}, last}", "uses last, which is no local"),
        ("token = {last = index}", "token = {index == last}", "uses last, which is no local"),
        ("do token = {last = index} end", "do last = index end", "uses last, which is no local"),
        ("return {'not_yours'}\n", "function f() end\nreturn {'not_yours'}\n", "declares a function that is global"),
        ("'GET', lock_key)", "'DEL', lock_key, 'usher:lock')", "calls DEL on another key"),
        ("'GET', lock_key)", "'XINFO', lock_key)", "calls XINFO without a fixed subcommand"),
        ("'GET', lock_key)", "'XINFO', 'STREAM', 'usher:lock')", "calls XINFO on another key"),
        ("'GET', lock_key)", "'XREADGROUP', 'GROUP', 'g', lock_key)", "calls XREADGROUP without STREAMS"),
        (
            "'GET', lock_key)", "'XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', 'usher:lock', '>')",
            "calls XREADGROUP on another key"
        ),
        ("-- flags: allow-oom", "-- flags: allow-oon", "has the unknown flag allow-oon"),
        ("-- flags: allow-oom", "-- flags: allow-oom\n-- flags: allow-oom", "has two lines of flags"),
        ("-- ARGV[1]", "-- flags: allow-oom\n-- ARGV[1]", "has two lines of flags"),
        ("local token = redis", "local long_\(String(repeating: "g", count: 120)), token = redis", ", over 120"),
    ])
    func aBadSampleIsFound(_ sample: (from: String, to: String, problem: String)) {
        let bad = Self.good.replacingOccurrences(of: sample.from, with: sample.to)
        #expect(bad != Self.good)
        let problems = LuaLint(bad, includes: Self.includes).problems
        #expect(problems.contains { $0.contains(sample.problem) }, "\(problems)")
    }

    @Test func aLongScriptIsFound() {
        let long = Self.good + String(repeating: "\n", count: 101)
        #expect(LuaLint(long, includes: Self.includes).problems.contains { $0.contains("lines, over 100") })
    }

    // MARK: Lists, pcall and functions of the script's own

    private static let goodLists = """
        -- Reads some.
        --
        -- KEYS[1]     leases_key  usher:{pX}:leases  zset: of all
        -- KEYS[2...]  bot_keys    usher:{pX}:bot     hash: of each
        -- ARGV[1]     name     text
        -- ARGV[2...]  bot_ids  list: of each
        --
        -- Returns 'none'  there are none
        --         'void'  1 thing
        --         'all_void'

        local leases_key = unpack(KEYS, 1, 1)
        local bot_keys = {unpack(KEYS, 2)}
        local name = unpack(ARGV, 1, 1)
        local bot_ids = {unpack(ARGV, 2)}

        local function void(reason, word)
          if reason then return word end
          return 'all_void'
        end

        local members = redis.pcall('XINFO', 'GROUPS', leases_key)
        if members.err then return 'none' end
        if #bot_ids > 1 then return void(name, 'void') end
        for index = 1, #bot_ids do
          redis.call('HSET', bot_keys[index], 'name', bot_ids[index])
        end
        return members

        """

    @Test func aGoodSampleWithListsPasses() {
        #expect(LuaLint(Self.goodLists, includes: [:]).problems == [])
    }

    @Test(arguments: [
        ("'HSET', bot_keys[index]", "'HSET', bot_keys", "calls HSET on another key"),
        ("'HSET', bot_keys[index]", "'HSET', bot_ids[index]", "calls HSET on another key"),
        ("{unpack(KEYS, 2)}", "{unpack(KEYS, 1)}", "does not begin with its names"),
        ("KEYS[1]     leases_key ", "KEYS[1]     leases ", "has the key leases, which is not called one"),
        ("if members.err", "if members", "does not look at the error of XINFO"),
        ("name, 'void'", "name, 'lost'", "does not document the result 'lost'"),
        ("name, 'void'", "name, 'lost'", "documents the result 'void', which it never returns"),
        ("name, 'void'", "name, -2", "does not document the result -2"),
        ("return 'all_void'", "return 'all_lost'", "does not document the result 'all_lost'"),
        ("return word", "return {word}", "does not document the result {'void'"),
        ("return void(name, 'void')", "void(name, 'void')", "documents the result 'void', which it never returns"),
        ("Returns 'none'", "Returns 'nobody'", "documents the result 'nobody', which it never returns"),
    ])
    func aBadListOrResultIsFound(_ sample: (from: String, to: String, problem: String)) {
        let bad = Self.goodLists.replacingOccurrences(of: sample.from, with: sample.to)
        #expect(bad != Self.goodLists)
        let problems = LuaLint(bad, includes: [:]).problems
        #expect(problems.contains { $0.contains(sample.problem) }, "\(problems)")
    }

    private static let goodValue = """
        -- Counts some.
        --
        -- KEYS[1]  leases_key  usher:{pX}:leases  zset: of all
        --
        -- Returns leases: integer  how many, 0 if there are none

        local leases_key = unpack(KEYS)

        if redis.call('EXISTS', leases_key) == 0 then return 0 end
        return redis.call('ZCARD', leases_key)

        """

    @Test func anOnlyResultMayBeAValueAndNoWord() {
        #expect(LuaLint(Self.goodValue, includes: [:]).problems == [])
        let bad = Self.goodValue.replacingOccurrences(of: "return 0", with: "return 'none'")
        #expect(LuaLint(bad, includes: [:]).problems == ["does not document the result 'none'"])
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
        -- KEYS[1]  bots_key    usher:{pX}:bots    zset: bots
        -- KEYS[2]  events_key  usher:{pX}:events  stream: what happened
        -- ARGV[1]  bot_id  text
        --
        -- Returns 'done'

        -- include: events
        -- include: bots

        local bots_key, events_key = unpack(KEYS)
        local bot_id = unpack(ARGV)

        local keys = {bots = bots_key, events = events_key}
        finish(keys, bot_id)
        record(events_key, 'more')
        return 'done'

        """

    @Test func aGoodSampleWithATableOfKeysPasses() {
        #expect(LuaLint(Self.goodKeys, includes: Self.bots).problems == [])
        for (_, text) in Self.bots { #expect(LuaLint.problems(ofInclude: text, includes: Self.bots) == []) }
    }

    @Test(arguments: [
        ("bots = bots_key, ", "", "calls finish without the key bots"),
        ("events = events_key", "events = events_key, more = bots_key", "gives keys the key more, which nothing takes"),
        ("events = events_key", "events = 'usher:events'", "calls finish with keys that are no table of KEYS"),
        ("events = events_key", "events = events_key .. bot_id", "calls finish with keys that are no table of KEYS"),
        ("finish(keys,", "finish({bots = bot_id},", "calls finish with keys that are no table of KEYS"),
        ("finish(keys,", "finish(keys.bots,", "calls finish with keys that are no table of KEYS"),
        ("finish(keys,", "keys.bots = bot_id\nfinish(keys,", "uses keys other than to give its keys"),
        ("finish(keys,", "local again = keys\nfinish(keys,", "uses keys other than to give its keys"),
        ("finish(keys,", "redis.call('DEL', other.bots)\nfinish(keys,", "calls DEL on another key"),
        ("finish(keys,", "local keys = {bots = bots_key}\nfinish(keys,", "declares the table keys twice"),
        ("finish(keys,", "local other = finish\nother(keys,", "uses finish other than by calling it"),
        ("record(events_key", "record(bot_id", "calls record with another key than one of KEYS"),
        ("record(events_key", "record('usher:events'", "calls record with another key than one of KEYS"),
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

    // MARK: Keys that an include brings

    private static let life = [
        "life": """
        -- The keys of a life.
        --
        -- KEYS[1]  bot     usher:{pX}:bot     hash: the bot
        -- KEYS[2]  leases  usher:{pX}:leases  zset: leases

        local keys = {bot = KEYS[1], leases = KEYS[2]}

        """,
        "free": "local function free(keys)\n  redis.call('DEL', keys.leases)\nend\n",
    ]

    private static let goodLife = """
        -- Ends a life.
        --
        -- KEYS[1...2]  those of includes/life.lua
        -- KEYS[3]  more_key  usher:{pX}:more  string: more
        --
        -- Returns 'done'

        -- include: life
        -- include: free

        local more_key = unpack(KEYS, 3)

        redis.call('DEL', keys.bot, more_key)
        free(keys)
        return 'done'

        """

    @Test func aGoodSampleWithSharedKeysPasses() {
        #expect(LuaLint(Self.goodLife, includes: Self.life).problems == [])
        for (_, text) in Self.life { #expect(LuaLint.problems(ofInclude: text, includes: Self.life) == []) }
    }

    @Test(arguments: [
        ("-- KEYS[1...2]  those of includes/life.lua\n", "", "how many are those of an include"),
        ("[1...2]", "[1...3]", "how many are those of an include"),
        ("[3]  more_key", "[4]  more_key", "has more_key at another place of KEYS"),
        ("unpack(KEYS, 3)", "unpack(KEYS)", "does not begin with its names"),
        ("keys.bot,", "keys.leases,", "gives keys the key bot, which nothing takes"),
        ("keys.bot,", "keys.room,", "calls DEL on another key"),
        ("free(keys)", "keys.bot = more_key\nfree(keys)", "uses keys other than to give its keys"),
        ("free(keys)", "local all = keys\nfree(keys)", "uses keys other than to give its keys"),
    ])
    func aBadUseOfSharedKeysIsFound(_ sample: (from: String, to: String, problem: String)) {
        let bad = Self.goodLife.replacingOccurrences(of: sample.from, with: sample.to)
        #expect(bad != Self.goodLife)
        let problems = LuaLint(bad, includes: Self.life).problems
        #expect(problems.contains { $0.contains(sample.problem) }, "\(problems)")
    }

    @Test func sharedKeysAreAllThatTheirIncludeHas() {
        let bad = Self.life["life"]!.replacingOccurrences(of: "KEYS[2]", with: "KEYS[1]")
        #expect(LuaLint.problems(ofInclude: bad, includes: [:]).contains { $0.contains("is not its keys") })
    }
}
