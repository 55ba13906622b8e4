import Redis

extension Doctor {
    /// A replica that says nothing for longer than this (seconds) is late: it acknowledges every second.
    private static let lateSeconds = 10

    static func replicas(_ reading: Reading) -> Finding {
        let subject = "replicas"
        guard case .given(let info) = reading.info else {
            return .unknown(subject, because: reading.info.reason, "See that they are connected and follow.")
        }
        let replicas = ReplicationInfo(info).replicas
        let wanted = reading.parameter("min-replicas-to-write").flatMap { Int($0) } ?? 0
        // Redis tells this of a primary that was set to need some, and of no other.
        let good = reading.number("min_slaves_good_slaves") ?? replicas.count { $0.isOnline }
        guard good >= wanted else {
            return .fail(
                subject,
                "min-replicas-to-write is \(wanted), and only \(counted(good, "replica")) of \(replicas.count) "
                    + "\(good == 1 ? "is" : "are") good, so every change is refused (NOREPLICAS)",
                "Bring the replicas back, or set min-replicas-to-write lower.")
        }
        if replicas.isEmpty { return withoutReplicas(reading) }
        if let late = replicas.first(where: { !$0.isOnline || $0.lagSeconds > lateSeconds }) {
            return .warn(
                subject,
                "\(replicas.count) connected, but \(shown(late.address)) is \(shown(late.state)), "
                    + "\(late.lagSeconds) s after its last word",
                "See to its machine and network: a failover to it would lose what it has not got.")
        }
        let offset = reading.number("master_repl_offset") ?? 0
        let behind = replicas.map { max(0, offset - $0.offset) }.max() ?? 0
        let found = "\(replicas.count) connected, the last one \(counted(behind, "byte")) behind"
        if wanted > 0 {
            let lag = reading.parameter("min-replicas-max-lag") ?? "10"
            return .ok(
                subject,
                "\(found); a primary cut off from them takes no more changes after \(shown(lag)) s "
                    + "(min-replicas-to-write \(wanted))")
        }
        guard reading.canFailOver else { return .ok(subject, found) }
        // Without CONFIG, INFO still shows that some are needed.
        if reading.parameter("min-replicas-to-write") == nil {
            if info["min_slaves_good_slaves"] != nil { return .ok(subject, "\(found); min-replicas-to-write is set") }
        }
        return .warn(
            subject,
            "\(found); min-replicas-to-write is 0, so a primary that is cut off from them goes on accepting "
                + "dispatches, which the failover forgets",
            "Set `min-replicas-to-write 1` and `min-replicas-max-lag 10`.")
    }

    /// Of a Redis whose replicas are waited for, or could be.
    /// - Parameter wanted: on how many of them changes are to be (`--redis-wait-replicas`).
    static func waiting(_ reading: Reading, for wanted: Int) -> Finding? {
        let subject = "waiting for replicas"
        // What could not be read the replicas' own finding tells.
        guard let info = reading.info.value, let all = reading.number("connected_slaves"),
            wanted > 0 || all > 0 && reading.canFailOver
        else { return nil }
        let setting = "USHER_REDIS_WAIT_REPLICAS"
        let wait = ReplicaWait(replicas: wanted, milliseconds: 0)
        let connected = ReplicationInfo(info).replicas.count { $0.isThere(for: wait.awayMilliseconds) }
        guard connected >= wait.fewest else {
            return .fail(
                subject,
                "changes are to be on \(counted(wanted, "replica")), and \(connected) are connected: every request that "
                    + "changes something fails, and without any the bots that run end with their leases",
                "Bring the replicas back, or set \(setting) lower.")
        }
        guard connected >= wanted else {
            return .warn(
                subject,
                "changes are to be on \(counted(wanted, "replica")), and \(connected) are connected: what needs the others "
                    + "fails until they have been away for \(wait.awayMilliseconds / 1_000) s, and goes on without them then",
                "Bring the others back, or set \(setting) lower if there are none.")
        }
        guard wanted > 0 else {
            return .warn(
                subject, "nothing is waited for: a failover forgets what was acknowledged and no replica has yet",
                "Set \(setting) to \(all) for nodes and runners, and for the doctor.")
        }
        guard connected == wanted else {
            return .warn(
                subject,
                "\(wanted) of \(connected): if one of the others takes the primary's place, it forgets what it has not "
                    + "got", "Set \(setting) to \(connected).")
        }
        if wait.fewest < wanted, let delay = reading.parameter("repl-diskless-sync-delay"), delay != "0" {
            return .warn(
                subject,
                "what is acknowledged is on all \(wanted), but with repl-diskless-sync-delay \(shown(delay)) a former primary "
                    + "that is back could be preferred for that long by what it alone wrote, if one more is lost then",
                "Set `repl-diskless-sync-delay 0` on each server.")
        }
        return .ok(subject, "what is acknowledged is on \(wanted == 1 ? "it" : "all \(wanted)")")
    }

    private static func withoutReplicas(_ reading: Reading) -> Finding {
        guard reading.canFailOver else {
            return .ok("replicas", "none: while this Redis is away, requests fail")
        }
        return .warn(
            "replicas", "none is connected: there is nothing to fail over to",
            "Start one, and see that it connects (`masterauth`, `masteruser`).")
    }
}
