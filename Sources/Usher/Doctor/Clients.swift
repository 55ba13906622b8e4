import Log

extension Doctor {
    /// The share of maxclients, in percent, from which it is short.
    private static let crowdedPercent = 80

    /// Redis' `timeout` closes connections that asked for nothing, but none that waits for a stream or a channel. The
    /// connection of a node's loop that serves no requests is one.
    static func idleClients(_ reading: Reading) -> Finding {
        let subject = "idle clients"
        guard let seconds = reading.parameter("timeout").flatMap({ Int($0) }) else {
            return .unknown(subject, because: unasked(reading, "timeout"), "See that `timeout` is 0.")
        }
        guard seconds > 0 else { return .ok(subject, "never closed (timeout 0)") }
        return .warn(
            subject,
            "closed after \(counted(seconds, "second")) (timeout): so is the connection of a node that had no requests, "
                + "and those that come until it is back fail",
            "Set `timeout 0`; tcp-keepalive finds peers that are gone.")
    }

    static func clientLimit(_ reading: Reading) -> Finding {
        let subject = "client limit"
        guard let connected = reading.number("connected_clients"),
            let limit = reading.number("maxclients") ?? reading.parameter("maxclients").flatMap({ Int($0) })
        else {
            let reason = reading.info.value == nil ? reading.info.reason : unasked(reading, "maxclients")
            return .unknown(subject, because: reason, "See that maxclients is far above what connects.")
        }
        let found = "\(connected) of \(limit) connections are taken"
        guard connected.multipliedClamped(by: 100) < limit.multipliedClamped(by: crowdedPercent) else {
            return .warn(
                subject, "\(found): past that, nodes and runners are turned away",
                "Raise `maxclients`. A node takes one for each loop and one more, a runner two, a bot one or two.")
        }
        return .ok(subject, found)
    }
}
