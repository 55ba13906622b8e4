extension Doctor {
    /// A replica that says nothing for longer than this (seconds) is late: it acknowledges every second.
    private static let lateSeconds = 10

    static func replicas(_ reading: Reading) -> Finding {
        let subject = "replicas"
        guard case .given(let info) = reading.info else {
            return .unknown(subject, because: reading.info.reason, "See that they are connected and follow.")
        }
        let replicas = followers(info)
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
        guard let connected = reading.number("connected_slaves"), wanted > 0 || connected > 0 && reading.canFailOver
        else { return nil }
        let setting = "USHER_REDIS_WAIT_REPLICAS"
        guard connected >= wanted else {
            return .fail(
                subject,
                "changes are to be on \(counted(wanted, "replica")), and \(connected) are connected: every request that "
                    + "changes something fails, and without any the bots that run end with their leases",
                "Bring the replicas back, or set \(setting) lower.")
        }
        guard wanted > 0 else {
            return .warn(
                subject, "nothing is waited for: a failover forgets what was acknowledged and no replica has yet",
                "Set \(setting) to \(connected) for nodes and runners, and for the doctor.")
        }
        guard connected == wanted else {
            return .warn(
                subject,
                "\(wanted) of \(connected): if one of the others takes the primary's place, it forgets what it has not "
                    + "got", "Set \(setting) to \(connected).")
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

    private struct Follower {
        let address: String
        let state: String
        let offset: Int
        let lagSeconds: Int

        var isOnline: Bool { state == "online" }
    }

    /// Such as `slave0:ip=10.0.0.7,port=6379,state=online,offset=1234,lag=0`.
    private static func followers(_ info: [String: String]) -> [Follower] {
        (0..<min(1000, info["connected_slaves"].flatMap { Int($0) } ?? 0)).compactMap { index in
            guard let text = info["slave\(index)"] else { return nil }
            var fields: [Substring: String] = [:]
            for field in text.split(separator: ",") {
                let parts = field.split(separator: "=", maxSplits: 1)
                if parts.count == 2 { fields[parts[0]] = String(parts[1]) }
            }
            return Follower(
                address: "\(fields["ip"] ?? "?"):\(fields["port"] ?? "?")", state: fields["state"] ?? "unknown",
                offset: fields["offset"].flatMap { Int($0) } ?? 0, lagSeconds: fields["lag"].flatMap { Int($0) } ?? 0)
        }
    }
}
