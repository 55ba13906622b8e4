extension Doctor {
    /// The share of maxmemory, in percent, from which room is short.
    private static let fullPercent = 70

    static func memory(_ reading: Reading) -> Finding {
        let subject = "memory"
        guard case .given(let info) = reading.info, let limit = reading.number("maxmemory"),
            let policy = info["maxmemory_policy"]
        else {
            let reason = reading.info.value == nil ? reading.info.reason : "INFO does not show maxmemory"
            return .unknown(
                subject, because: reason,
                "See that maxmemory-policy is noeviction: any other can drop in-flight keys and rooms.")
        }
        let used = reading.number("used_memory") ?? 0
        if policy != "noeviction" {
            let advice = "Set `maxmemory-policy noeviction`."
            guard limit > 0 else {
                return .warn(
                    subject,
                    "maxmemory-policy is \(shown(policy)), which drops records as soon as a maxmemory is set", advice)
            }
            return .fail(
                subject,
                "maxmemory is \(megabytes(limit)) with maxmemory-policy \(shown(policy)): when it is full, "
                    + lost(policy), advice)
        }
        guard limit > 0 else { return .ok(subject, "no maxmemory, noeviction; \(megabytes(used)) are used") }
        let found = "\(megabytes(used)) of \(megabytes(limit)) are used, noeviction"
        guard used / 100 * 100 < limit / 100 * fullPercent else {
            let refused =
                knowsFlags(info)
                ? "new meetings, bots and segments are refused (OOM), and what runs goes on"
                : "every change is refused (OOM), and bots end with their leases: only from Redis 7.0 on there is a reserve"
            return .warn(
                subject, "\(found): when it is full, \(refused)",
                "Give Redis more memory, move transcripts to an archive (USHER_ARCHIVE), or let old meetings go "
                    + "(USHER_RETENTION_MS).")
        }
        return .ok(subject, found)
    }

    /// Locks, in-flight keys, runners, ended bots and API keys with an expiry have a time to live; rooms have none.
    private static func lost(_ policy: String) -> String {
        policy.hasPrefix("volatile")
            ? "Redis drops in-flight keys, and with them accepted dispatches, and locks and API keys that expire"
            : "Redis drops in-flight keys and rooms, so that a room gets a second bot, and any other record"
    }

    /// Whether scripts may have the flag `allow-oom`.
    private static func knowsFlags(_ info: [String: String]) -> Bool {
        (info["redis_version"]?.prefix { $0 != "." }).flatMap { Int($0) } ?? 0 >= 7
    }

    private static func megabytes(_ bytes: Int) -> String {
        let tenths = bytes / 1024 * 10 / 1024
        return "\(tenths / 10).\(tenths % 10) MB"
    }
}
