import EventLoop
import Glibc
import Redis
import Scripts

/// Asks a Redis how it is set up. It changes nothing but the scripts that Redis knows.
///
/// Its client should be its own: what it sends would get into the way of requests.
public struct Examination: Sendable {
    private static let pings = 100
    /// How long they may take together, in milliseconds.
    private static let pingTime = 2_000
    private static let clockSamples = 5
    /// None of these is a secret. One at a time: before 7.0 Redis takes no more.
    private static let parameters = [
        "appendonly", "appendfsync", "no-appendfsync-on-rewrite", "save", "stop-writes-on-bgsave-error",
        "min-replicas-to-write", "min-replicas-max-lag", "repl-diskless-sync-delay", "timeout", "maxclients",
    ]

    private let client: Client
    private let url: RedisURL
    private let scheme: String
    private let deadline: MonotonicTime
    private let timeoutMilliseconds: Int

    /// - Parameters:
    ///   - client: with a login that Redis has answered, and without scripts: one that Redis refuses is a finding.
    ///   - scheme: what stands before `://` in the URL that Usher uses, if that is another than `url`.
    ///   - timeoutMilliseconds: of one command.
    ///   - deadline: of all.
    public init(
        client: Client, url: RedisURL, scheme: String? = nil, timeoutMilliseconds: Int, deadline: MonotonicTime
    ) {
        self.client = client
        self.url = url
        self.scheme = scheme ?? String(url.redacted.prefix { $0 != ":" })
        self.timeoutMilliseconds = timeoutMilliseconds
        self.deadline = deadline
    }

    /// - Throws: `RedisError` if Redis went away, or did not answer in time. What it refuses is part of the reading.
    public func read() async throws(RedisError) -> Reading {
        var reading = Reading()
        reading.address = url.redacted
        reading.scheme = scheme
        reading.way = Way(url)
        let replies = try await ask([
            Command("INFO"), Command("ROLE"), Command("PUBSUB", "NUMSUB", "__sentinel__:hello"),
            Command("ACL", "WHOAMI"),
        ])
        reading.info = answer(replies[0]) { $0.info }
        reading.role = answer(replies[1], Self.role)
        reading.sentinels = answer(replies[2]) { $0.array?.last?.integer }
        reading.user = replies[3].string ?? url.user ?? "default"
        if reading.knownRole == .sentinel { return reading }
        if reading.isClusterNode {
            let reply = try await ask([Command("CLUSTER", "INFO")])[0]
            reading.cluster = answer(reply) { $0.info }
        }
        reading.configuration = try await readConfiguration()
        reading.missingRights = try await readMissingRights(of: replies[3].string)
        try await loadScripts(into: &reading)
        reading.clock = try await readClock()
        reading.pings = try await ping()
        return reading
    }

    /// One reply a command, with errors as values among them.
    private func ask(_ commands: [Command]) async throws(RedisError) -> [Value] {
        let bound = MonotonicTime.now().advanced(byMilliseconds: timeoutMilliseconds)
        return try await client.pipeline(commands, deadline: min(deadline, bound))
    }

    private func answer<Answered>(_ reply: Value, _ read: (Value) -> Answered?) -> Answer<Answered> {
        if case .error(let text) = reply { return .refused("Redis says \"\(Self.withoutArguments(text))\"") }
        return read(reply).map { .given($0) } ?? .refused("Redis' answer is of another form")
    }

    /// Redis repeats the arguments of a command that it does not know.
    private static func withoutArguments(_ text: String) -> String {
        guard let end = text.firstRange(of: ", with args")?.lowerBound else { return shown(text) }
        return shown(String(text[..<end]))
    }

    static func role(_ reply: Value) -> RedisRole? {
        guard let parts = reply.array else { return nil }
        switch parts.first?.string {
        case "master": return .primary
        case "sentinel": return .sentinel
        case "slave":
            guard parts.count >= 4, let host = parts[1].string, let port = parts[2].integer else { return nil }
            return .replica(of: "\(host):\(port)", link: parts[3].string ?? "unknown")
        default: return nil
        }
    }

    private func readConfiguration() async throws(RedisError) -> Answer<[String: String]> {
        let replies = try await ask(Self.parameters.map { Command("CONFIG", "GET", $0) })
        var found: [String: String] = [:]
        for (name, reply) in zip(Self.parameters, replies) {
            if case .error = reply { return answer(reply) { _ in nil } }
            if let parts = reply.array, parts.count == 2, let value = parts[1].string { found[name] = value }
        }
        return .given(found)
    }

    // MARK: Rights

    private func readMissingRights(of user: String?) async throws(RedisError) -> Answer<[Rights.Need]> {
        if let user, let missing = try await missingByDryRun(of: user) { return .given(missing) }
        return try await missingByTrial()
    }

    /// Asks Redis what the user may do, for which one needs rights of an administrator.
    /// - Returns: nil if that is refused.
    private func missingByDryRun(of user: String) async throws(RedisError) -> [Rights.Need]? {
        func ask(_ words: [String]) -> Command { Command(words: ["ACL", "DRYRUN", user] + words) }
        let replies = try await self.ask([ask(["PING"])] + Rights.needs.map { ask($0.words) })
        // Before 7.0, or without that right.
        if case .error = replies[0] { return nil }
        return zip(Rights.needs, replies.dropFirst()).compactMap { $1 == .string("OK") ? nil : $0 }
    }

    /// Redis checks a user's rights when a command enters a transaction, and runs none of one that is discarded.
    private func missingByTrial() async throws(RedisError) -> Answer<[Rights.Need]> {
        // Outside of a transaction the commands would run.
        let rehearsal = try await ask([Command("MULTI"), Command("DISCARD")])
        for case .error(let text) in rehearsal {
            return .refused("this user may use neither ACL DRYRUN nor MULTI (\(shown(text)))")
        }
        let commands = Rights.needs.map { Command(words: $0.words) }
        let replies = try await ask([Command("MULTI")] + commands + [Command("DISCARD")])
        guard replies.first == .string("OK"), replies.last == .string("OK") else {
            return .refused("a transaction could not be discarded")
        }
        return .given(zip(Rights.needs, replies.dropFirst()).compactMap { Self.isRefusal($1) ? $0 : nil })
    }

    /// Whether a command was refused for good, and not for a passing lack of memory, replicas or the like.
    private static func isRefusal(_ reply: Value) -> Bool {
        guard case .error(let text) = reply else { return false }
        return text.hasPrefix("NOPERM") || text.lowercased().hasPrefix("err unknown")
    }

    // MARK: Scripts, clock, latency

    private func loadScripts(into reading: inout Reading) async throws(RedisError) {
        reading.scriptCount = Scripts.all.count
        let scripts = Store.scripts
        let replies = try await ask(scripts.map { Command("SCRIPT", "LOAD", $0.text) })
        for (script, reply) in zip(scripts, replies) {
            guard case .error(var text) = reply else { continue }
            // As a login does, which takes a script without its flags where Redis knows none.
            if Script.isCompileError(text), let plain = script.withoutFlags {
                guard case .error(let other) = try await ask([Command("SCRIPT", "LOAD", plain)])[0] else { continue }
                text = other
            }
            reading.refusedScripts.append((script.name, text))
        }
    }

    /// The sample with the shortest round trip says most.
    private func readClock() async throws(RedisError) -> Answer<ClockReading> {
        var best: ClockReading?
        for _ in 0..<Self.clockSamples {
            let before = Self.wallClock()
            let sent = MonotonicTime.now()
            let reply = try await ask([Command("TIME")])[0]
            let halfway = MonotonicTime.now().milliseconds(since: sent) / 2
            guard let parts = reply.array, parts.count == 2, let seconds = parts[0].string.flatMap({ Int($0) }),
                let microseconds = parts[1].string.flatMap({ Int($0) }), (0..<1 << 40).contains(seconds)
            else { return answer(reply) { _ in nil } }
            let ahead = seconds * 1_000 + microseconds / 1_000 - (before + halfway)
            if halfway < best?.uncertaintyMilliseconds ?? .max {
                best = ClockReading(aheadMilliseconds: ahead, uncertaintyMilliseconds: halfway)
            }
        }
        return best.map { .given($0) } ?? .refused("TIME was not asked for")
    }

    /// Milliseconds since 1970.
    private static func wallClock() -> Int {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return now.tv_sec * 1_000 + now.tv_nsec / 1_000_000
    }

    /// The round trips, in microseconds; at least one.
    private func ping() async throws(RedisError) -> [Int] {
        var taken: [Int] = []
        let begin = MonotonicTime.now()
        while taken.count < Self.pings, MonotonicTime.now().milliseconds(since: begin) < Self.pingTime {
            let sent = MonotonicTime.now()
            if case .error = try await ask([Command("PING")])[0] { break }
            taken.append(Int(MonotonicTime.now().nanoseconds - sent.nanoseconds) / 1_000)
        }
        return taken
    }
}
