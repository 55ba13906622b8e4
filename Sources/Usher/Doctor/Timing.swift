/// Time as it passes here and there.
extension Doctor {
    /// Milliseconds.
    private static let clockTolerance = 1_000

    /// Leases, locks, in-flight keys and every time in a record are Redis' own, and a bot's deadline counts by its
    /// machine's boot clock, so no promise rests on the difference: it only makes logs hard to follow.
    static func clock(_ reading: Reading) -> Finding {
        let subject = "clock"
        guard case .given(let clock) = reading.clock else {
            return .unknown(subject, because: reading.clock.reason, "Allow TIME: every script asks for it.")
        }
        let distance = Int(clock.aheadMilliseconds.magnitude)
        let side = clock.aheadMilliseconds < 0 ? "behind" : "ahead of"
        let found = "Redis is \(distance) ms \(side) this machine, give or take \(clock.uncertaintyMilliseconds) ms"
        guard distance - clock.uncertaintyMilliseconds > clockTolerance else { return .ok(subject, found) }
        return .warn(
            subject,
            "\(found). Nothing is decided by this machine's clock, but its log cannot be laid beside the records, "
                + "whose times are Redis'", "Set both clocks by NTP.")
    }

    /// A re-invitation holds its workspace's lock for one round trip, and others wait for it for the lock wait at most;
    /// a command that takes as long as the timeout counts as unanswered; a lease is renewed three times while it lives,
    /// and a fifth of its life is kept for ending a bot.
    static func latency(_ reading: Reading, _ configuration: StoreConfiguration) -> Finding {
        let subject = "latency"
        let pings = reading.pings.sorted()
        guard let slowest = pings.last else {
            return .unknown(subject, because: "no PING was answered", "Allow PING: every connection begins with it.")
        }
        let median = pings[pings.count / 2]
        let found =
            "\(milliseconds(median)) in the middle of \(counted(pings.count, "PING")), \(milliseconds(slowest)) at most"
        let bounds = [
            (name: "a Redis command's timeout", milliseconds: configuration.redisTimeoutMilliseconds),
            (name: "a lock's life", milliseconds: configuration.lockTimeToLiveMilliseconds),
            (name: "a lease's reserve", milliseconds: configuration.leaseTimeToLiveMilliseconds / 5),
        ]
        let tightest = bounds.min { $0.milliseconds < $1.milliseconds }!
        if slowest > tightest.milliseconds * 1_000 / 4 {
            return .warn(
                subject, "\(found): more than a quarter of \(tightest.name) (\(tightest.milliseconds) ms)",
                "See what keeps Redis or the network (`redis-cli --latency`, SLOWLOG GET), or give it more time: "
                    + "USHER_REDIS_TIMEOUT_MS, USHER_LOCK_TTL_MS, USHER_LEASE_TTL_MS.")
        }
        let wait = configuration.lockWaitMilliseconds
        if wait > 0, median > wait * 1_000 / 10 {
            return .warn(
                subject,
                "\(found): more than a tenth of the lock wait (\(wait) ms), so that re-invitations in one workspace at "
                    + "the same time are turned away (503, 12108) though nothing is wrong",
                "Bring the nodes nearer to Redis.")
        }
        return .ok(subject, found)
    }

    /// - Parameter microseconds: at least 0.
    private static func milliseconds(_ microseconds: Int) -> String {
        let hundredths = (microseconds + 5) / 10
        let fraction = hundredths % 100
        return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction) ms"
    }
}
