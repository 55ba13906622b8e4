extension Doctor {
    /// Who could listen in on the way to Redis.
    static func encryption(_ reading: Reading) -> Finding {
        let subject = "encryption"
        return switch reading.way {
        case .encrypted: .ok(subject, "TLS, by a certificate that is verified")
        case .local: .ok(subject, "none: Redis is on this machine")
        case .open:
            .ok(
                subject,
                "none: who can listen in between reads all, so that network has to be trusted (rediss:// is for others)"
            )
        }
    }

    /// What kind of Redis this is, and whether the URL leads to the place where records can be changed, for good.
    static func deployment(_ reading: Reading) -> Finding {
        let subject = "deployment"
        guard let role = reading.knownRole else {
            return .unknown(
                subject, because: reading.role.reason,
                "Allow ROLE or INFO; Usher needs the primary, not a replica or a Sentinel.")
        }
        switch role {
        case .sentinel:
            return .fail(
                subject, "a Sentinel, which holds no records",
                "Name it by redis+sentinel://HOST:PORT,HOST:PORT/SERVICE, which asks it for the primary, or name the "
                    + "primary itself.")
        case .replica(let primary, let link):
            return .fail(
                subject,
                "a replica of \(shown(primary)) (its link to it is \(shown(link))), which refuses every change",
                "Name the primary, or what finds it: the Sentinels (redis+sentinel://) or the Cluster "
                    + "(redis+cluster://).")
        case .primary:
            return reading.isClusterNode ? clusterNode(reading) : primary(reading)
        }
    }

    private static func clusterNode(_ reading: Reading) -> Finding {
        let subject = "deployment"
        guard case .given(let cluster) = reading.cluster else {
            return .unknown(
                "\(subject) of a Cluster", because: reading.cluster.reason,
                "Allow CLUSTER INFO, and see that cluster_state is ok.")
        }
        let size = cluster["cluster_size"].flatMap { Int($0) } ?? 0
        let found = "a primary of a Redis Cluster with \(size) \(size == 1 ? "primary" : "primaries")"
        guard cluster["cluster_state"] == "ok" else {
            return .fail(
                subject,
                "\(found), which is down: \(shown(cluster["cluster_slots_ok"] ?? "0")) of 16384 slots are served",
                "See `redis-cli --cluster check HOST:PORT`; until it is mended, requests fail.")
        }
        if !reading.scheme.hasSuffix("+cluster"), size > 1 {
            return .fail(
                subject, "\(found), reached by \(reading.scheme)://, so that it alone is asked",
                "It holds only a part of the slots: name the Cluster by redis+cluster://HOST:PORT,HOST:PORT.")
        }
        return .ok(subject, found)
    }

    private static func primary(_ reading: Reading) -> Finding {
        let subject = "deployment"
        let sentinels = reading.sentinels.value ?? 0
        if reading.isFoundBySentinels {
            return .ok(subject, "the primary that \(counted(max(1, sentinels), "Sentinel")) told of")
        }
        guard sentinels > 0 else { return .ok(subject, "a standalone Redis") }
        return .warn(
            subject, "a primary watched by \(counted(sentinels, "Sentinel")), but reached by \(reading.scheme)://",
            "After a failover Usher would go on asking this one, a replica by then or cut off: name the Sentinels by "
                + "redis+sentinel://HOST:PORT,HOST:PORT/SERVICE.")
    }
}
