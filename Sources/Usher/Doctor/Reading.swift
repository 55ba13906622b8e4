import Redis

/// What Redis said when it was asked, or why it did not.
enum Answer<Value: Sendable>: Sendable {
    case given(Value)
    /// In words that complete "could not look, because ...".
    case refused(String)

    var value: Value? {
        if case .given(let value) = self { value } else { nil }
    }

    /// "" if it was given.
    var reason: String {
        if case .refused(let reason) = self { reason } else { "" }
    }
}

/// Everything that was read from one Redis, from which all findings follow.
public struct Reading: Sendable {
    /// What stands before `://` in the URL: how Usher finds its Redis again after a failover.
    var scheme = "redis"
    var way = Way.local
    /// The URL without user and password.
    var address = "redis://127.0.0.1:6379/0"
    /// The fields of INFO, of all its sections.
    var info: Answer<[String: String]> = .refused("INFO was not asked for")
    var role: Answer<RedisRole> = .refused("ROLE was not asked for")
    /// How many Sentinels listen to this Redis.
    var sentinels: Answer<Int> = .given(0)
    /// The fields of CLUSTER INFO; empty of a Redis that is no Cluster node.
    var cluster: Answer<[String: String]> = .given([:])
    /// Some parameters of CONFIG GET.
    var configuration: Answer<[String: String]> = .refused("CONFIG was not asked for")
    var user = "default"
    /// The commands of `Rights` that the user may not run, such as `SET usher:seq:user`.
    var missingRights: Answer<[Rights.Need]> = .given([])
    /// How many scripts were given to Redis.
    var scriptCount = 0
    /// By the script's name: why Redis did not take it.
    var refusedScripts: [(name: String, reason: String)] = []
    var clock: Answer<ClockReading> = .refused("TIME was not asked for")
    /// Of each PING, in microseconds.
    var pings: [Int] = []
}

/// How the bytes go to Redis.
enum Way: Sendable {
    case encrypted, local, open

    init(_ url: RedisURL) {
        if url.isEncrypted {
            self = .encrypted
        } else if case .tcp(let host, _) = url.location, host != "localhost", host != "::1", !host.hasPrefix("127.") {
            self = .open
        } else {
            self = .local
        }
    }
}

/// What ROLE says.
enum RedisRole: Equatable, Sendable {
    case primary
    /// - Parameter link: the state of its link to the primary; `connected` if it follows.
    case replica(of: String, link: String)
    case sentinel
}

/// Redis' clock beside this machine's.
struct ClockReading: Equatable, Sendable {
    /// How far Redis' clock is ahead, in milliseconds; negative if it is behind.
    var aheadMilliseconds: Int
    /// By how much that may be wrong: half of the round trip, in milliseconds.
    var uncertaintyMilliseconds: Int
}

extension Reading {
    /// A field of INFO as a number.
    func number(_ field: String) -> Int? {
        info.value?[field].flatMap { Int($0) }
    }

    /// A parameter, unless CONFIG was refused or Redis does not have it.
    func parameter(_ name: String) -> String? {
        configuration.value?[name]
    }

    /// ROLE's word or, where that is refused, INFO's.
    var knownRole: RedisRole? {
        if let role = role.value { return role }
        guard let info = info.value else { return nil }
        if info["redis_mode"] == "sentinel" { return .sentinel }
        switch info["role"] {
        case "master": return .primary
        case "slave":
            return .replica(
                of: "\(info["master_host"] ?? "?"):\(info["master_port"] ?? "?")",
                link: info["master_link_status"] == "up" ? "connected" : "down")
        default: return nil
        }
    }

    var isClusterNode: Bool { info.value?["redis_mode"] == "cluster" || info.value?["cluster_enabled"] == "1" }

    /// Whether something would make a replica the primary.
    var canFailOver: Bool { isClusterNode || (sentinels.value ?? 0) > 0 || isFoundBySentinels }

    var isFoundBySentinels: Bool { scheme.hasSuffix("+sentinel") }
}

/// The findings of one examination, in the order in which they are told.
public enum Doctor {
    /// - Parameter replicas: how many of them changes wait for.
    public static func findings(
        _ reading: Reading, _ configuration: StoreConfiguration, waitingFor replicas: Int = 0
    ) -> [Finding] {
        var findings = [deployment(reading), encryption(reading), version(reading)]
        // A Sentinel holds no records, and knows few commands.
        if reading.knownRole == .sentinel { return findings }
        findings += [persistence(reading), writing(reading), self.replicas(reading)]
        findings += [waiting(reading, for: replicas), memory(reading)].compactMap(\.self)
        findings += [rights(reading), scripts(reading), clock(reading), latency(reading, configuration)]
        findings += [idleClients(reading), clientLimit(reading)]
        return findings
    }
}
