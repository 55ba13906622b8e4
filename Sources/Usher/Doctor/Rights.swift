import Redis

/// What a user of Redis must be allowed to do so that nodes, runners and scripts can work. (What a script does, its
/// caller must be allowed to do.)
enum Rights {
    /// One command on one key or channel.
    struct Need: Equatable, Sendable {
        let words: [String]

        /// The command and, where it is a container's, its subcommand: as ACL rules name it.
        var command: String {
            let name = words[0].lowercased()
            let isContainer = ["script", "xgroup", "xinfo", "client", "acl", "config", "cluster"].contains(name)
            return isContainer ? "\(name)|\(words[1].lowercased())" : name
        }

        /// What stands for the key, in a message.
        var object: String? { words.first { $0.hasPrefix("usher:") || $0 == WireNames.segmentStream || isChannel($0) } }

        private func isChannel(_ word: String) -> Bool { word.hasPrefix("bot_commands:") }
    }

    /// Every command on every kind of key that it is used on. The keys are never read or written: see `Examination`.
    static let needs: [Need] =
        on(Keys.userSequence, "INCR %") + on(Keys.meetingSequence, "INCR %")
        + on(Keys.users, "ZADD % 0 0", "ZRANGE % 0 0", "ZREM % 0")
        + on(Keys.workspaces, "ZADD % NX 0 0", "ZCARD %", "ZRANGE % 0 0", "ZREM % 0")
        + PeerKind.allCases.flatMap { kind in
            on(Keys.peers(kind), "ZADD % 0 m", "ZREM % m", "ZRANGEBYSCORE % -inf 0", "EVALSHA 0 1 %")
                + on(Keys.peer(kind, "0"), "HSET % a 0", "HGETALL %", "PEXPIRE % 1", "DEL %")
        }
        + on(
            Keys.apiKey(hash: "0"), "EXISTS %", "HGET % a", "HMGET % a", "HGETALL %", "HSET % a 0", "PEXPIREAT % 1",
            "DEL %")
        + on(Keys.apiKeyHash(id: "0"), "SET % 0", "GET %", "PEXPIREAT % 1", "DEL %")
        + on(Keys.user(0), "EXISTS %", "HGET % a", "HMGET % a", "HGETALL %", "HSET % a 0", "DEL %")
        + on(Keys.userID(email: "0"), "SET % 0 NX", "GET %", "DEL %")
        + on(Keys.locator(meeting: "0"), "SET % 0", "GET %", "DEL %", "UNLINK %", "TYPE %")
        + on(Keys.locator(number: 0), "SET % 0", "GET %", "DEL %", "UNLINK %", "TYPE %")
        + on(Keys.deadLetters, "XADD % MAXLEN ~ 1 * a 0") + on(Keys.deadLetterCount, "INCR %")
        + inPartition + ofWorkspace
        + on(
            WireNames.segmentStream, "XGROUP CREATE % g 0 MKSTREAM", "XREADGROUP GROUP g c STREAMS % >",
            "XAUTOCLAIM % g c 1 0-0", "XPENDING % g", "XCLAIM % g c 0 0-1", "XDEL % 0-1", "XACK % g 0-1",
            "XINFO GROUPS %", "XINFO CONSUMERS % g", "XINFO STREAM %",
            "XGROUP DELCONSUMER % g c", "EVALSHA 0 1 %")
        + on(Keys.segmentAttempts, "HGET % a", "HSET % a 0", "HDEL % a", "PEXPIRE % 1")
        + on(Keys.archiveProblem, "SET % 0 PX 1", "GET %", "DEL %")
        + [Keys.userSequence, Keys.meetingSequence].flatMap { on($0, "GET %", "SET % 0") }
        + on(WireNames.commandChannel(0), "PUBLISH % 0")
        + on(
            "", "TIME", "INFO replication", "PING", "CLIENT SETNAME usher", "SCRIPT LOAD return", "ROLE", "WAIT 0 1",
            "CLUSTER SLOTS", "ASKING")

    private static let partition = Partition(number: 0)

    private static let inPartition =
        on(
            partition.dispatch, "XADD % * a 0", "XRANGE % - +", "XDEL % 0-1", "XACK % g 0-1", "XPENDING % g",
            "XCLAIM % g c 0 0-1",
            "XAUTOCLAIM % g c 1 0-0", "XREADGROUP GROUP g c STREAMS % >", "XGROUP CREATE % g 0 MKSTREAM",
            "XGROUP DELCONSUMER % g c", "XINFO GROUPS %", "XINFO CONSUMERS % g", "EVAL return 1 %", "EVALSHA 0 1 %",
            "EXISTS %", "TYPE %", "XLEN %")
        + on(partition.events, "XADD % MAXLEN ~ 1 * a 0", "TYPE %", "XREAD STREAMS % 0", "XREVRANGE % + - COUNT 1")
        + on(
            partition.leases, "ZADD % 0 m", "ZREM % m", "ZSCORE % m", "ZRANGEBYSCORE % -inf 0", "ZCARD %",
            "ZCOUNT % -inf 0", "ZRANGE % 0 0")
        + on(partition.outbox, "XADD % * a 0", "XLEN %", "XRANGE % - +", "XDEL % 0-1")
        + on(partition.filing, "SET % 0 NX PX 1", "PTTL %", "PEXPIRE % 1", "GET %", "DEL %", "EVALSHA 0 1 %")
        + on(
            partition.deliveries, "ZCARD %", "ZRANGE % 0 0", "ZREVRANGE % 0 0", "ZADD % LT 0 m", "ZREM % m",
            "ZRANGEBYSCORE % -inf 0", "PEXPIRE % 1")
        + on(partition.operatorEndpoint, "EXISTS %", "HMGET % a", "HGETALL %", "HSET % a 0", "HDEL % a", "PEXPIRE % 1")
        + on(
            partition.operatorDeliveries, "ZCARD %", "ZRANGE % 0 0", "ZREVRANGE % 0 0", "ZADD % LT 0 m", "ZREM % m",
            "ZRANGEBYSCORE % -inf 0", "PEXPIRE % 1")
        + on(partition.calendars, "ZADD % 0 m", "ZREM % m", "ZSCORE % m", "ZRANGE % 0 0", "ZRANGEBYSCORE % -inf 0")
        + on(
            "\(partition.meeting("0")):object:0", "HSET % 0 0", "HGET % 0", "HSTRLEN % 0", "HLEN %", "UNLINK %",
            "TYPE %",
            "EVALSHA 0 1 %")
        + on(
            partition.sharers(ofMeeting: "0"), "HSET % a 0", "HDEL % a", "HGETALL %", "PEXPIRE % 1", "DEL %", "UNLINK %"
        )
        + on(partition.primary, "HMGET % a", "HSET % a 0", "HDEL % a", "EVALSHA 0 1 %")
        + on(partition.analyzing, "ZADD % NX 0 m", "ZREM % m", "ZRANGEBYSCORE % -inf 0")
        + on(partition.ended, "ZADD % 0 m", "ZREM % m", "ZSCORE % m", "ZRANGEBYSCORE % -inf 0")
        + on(partition.archived, "ZADD % 0 m", "ZREM % m", "ZSCORE % m", "ZRANGEBYSCORE % -inf 0", "ZCARD %")
        + on(partition.moving, "ZADD % 0 m", "ZREM % m", "ZSCORE % m")
        + on(partition.removals, "ZADD % 0 m", "ZREM % m", "ZRANGEBYSCORE % -inf 0", "ZCARD %")
        + on(partition.removing, "ZADD % XX 0 m", "ZREM % m", "ZSCORE % m", "ZRANGE % 0 0")
        + on(partition.removed, "ZADD % 0 m", "ZSCORE % m")
        + on(
            partition.meeting("0"), "EXISTS %", "HGET % a", "HMGET % a", "HGETALL %", "HSTRLEN % a", "HSET % a 0",
            "HDEL % a", "HINCRBY % a 1", "TYPE %", "DEL %", "UNLINK %")
        + on(
            partition.segments(ofMeeting: "0"), "HLEN %", "HMGET % a", "HSTRLEN % a", "HSCAN % 0", "HSET % a 0",
            "TYPE %",
            "DEL %", "UNLINK %")
        + on(
            partition.feed(ofMeeting: "0"), "XADD % MAXLEN ~ 1 * a 0", "XLEN %", "XRANGE % - +",
            "XREVRANGE % + - COUNT 1",
            "PEXPIRE % 1", "UNLINK %", "DEL %", "TYPE %")
        + on(
            partition.bot("0"), "EXISTS %", "HEXISTS % a", "HGET % a", "HMGET % a", "HSET % a 0", "HDEL % a",
            "HINCRBY % a 1", "PEXPIRE % 1", "TYPE %", "UNLINK %")

    private static let ofWorkspace = {
        let workspace = partition.workspace("0")
        return on(
            workspace, "EXISTS %", "HGET % a", "HMGET % a", "HGETALL %", "HSET % a 0", "HDEL % a", "HINCRBY % a 1",
            "TYPE %", "DEL %", "UNLINK %")
            + on(
                "\(workspace):members", "HGET % a", "HEXISTS % a", "HGETALL %", "HSET % a 0", "HDEL % a", "DEL %",
                "UNLINK %")
            + on(
                "\(workspace):keys", "EXISTS %", "HGET % a", "HGETALL %", "HSCAN % 0", "HLEN %", "HRANDFIELD % 1",
                "HSET % a 0",
                "HDEL % a")
            + on(
                "\(workspace):tickets", "ZRANGEBYSCORE % -inf 0", "ZADD % 0 m", "ZCARD %", "PEXPIRE % 1", "ZREM % m",
                "ZSCORE % m")
            + on("\(workspace):lock", "SET % 0 NX PX 1", "GET %", "PTTL %", "PEXPIRE % 1", "DEL %", "UNLINK %")
            + on(
                "\(workspace):inflight:0", "SET % 0 PX 1", "GET %", "EXISTS %", "PTTL %", "PEXPIRE % 1", "DEL %",
                "UNLINK %")
            + on("\(workspace):request:0", "SET % 0 PX 1", "GET %", "PEXPIRE % 1")
            + on("\(workspace):room:0", "SET % 0", "GET %", "DEL %", "UNLINK %")
            + on("\(workspace):held:0", "SET % 0 NX", "GET %", "DEL %", "UNLINK %")
            + on(
                "\(workspace):names", "HSCAN % 0", "HSET % a 0", "HGET % a", "HMGET % a", "HEXISTS % a", "HDEL % a",
                "UNLINK %")
            + on("\(workspace):latest:0", "SET % 0", "GET %", "DEL %", "UNLINK %")
            + on("\(workspace):planned:0", "UNLINK %") + on("\(workspace):dedup:0", "GET %", "DEL %", "UNLINK %")
            + on("\(workspace):screenshots", "UNLINK %") + on("\(workspace):screenshots:order", "UNLINK %")
            + on(
                "\(workspace):meetings", "ZADD % 0 m", "ZREVRANGE % 0 0", "ZREVRANGEBYSCORE % +inf -inf",
                "ZREM % m", "ZRANGE % 0 0", "ZRANGEBYSCORE % -inf 0", "EXISTS %")
            + on(
                "\(workspace):calendars:0", "ZADD % 0 m", "ZCARD %", "ZCOUNT % (0 +inf", "ZRANGE % 0 0", "ZREM % m",
                "UNLINK %")
            + on(
                "\(workspace):calendar:0", "HEXISTS % a", "HGET % a", "HMGET % a", "HGETALL %", "HSET % a 0",
                "HDEL % a", "UNLINK %"
            )
            + on("\(workspace):calendar:0:planned", "HSCAN % 0", "HGETALL %", "HSET % a 0", "HDEL % a", "UNLINK %")
            + on("\(workspace):webhooks", "EXISTS %", "ZADD % 0 m", "ZCARD %", "ZRANGE % 0 0", "ZREM % m")
            + on(
                "\(workspace):webhook:0", "EXISTS %", "HGET % a", "HMGET % a", "HGETALL %", "HSET % a 0", "HDEL % a",
                "UNLINK %")
            + on(
                "\(workspace):webhook:0:due", "ZADD % 0 m", "ZCARD %", "ZRANGE % 0 0", "ZREVRANGE % 0 0",
                "ZRANGEBYSCORE % -inf 0",
                "ZSCORE % m", "ZREM % m", "PEXPIRE % 1", "UNLINK %")
            + on(
                "\(workspace):webhook:0:events", "HEXISTS % a", "HMGET % a", "HSET % a 0", "HDEL % a", "PEXPIRE % 1",
                "UNLINK %")
            + on(
                "\(workspace):webhook:0:done", "ZADD % 0 m", "ZCARD %", "ZRANGE % 0 0", "ZREVRANGE % 0 0",
                "ZRANGEBYSCORE % -inf 0", "ZREM % m", "PEXPIRE % 1",
                "UNLINK %")
            + on(
                "\(workspace):feed", "XADD % MAXLEN ~ 1 * a 0", "XLEN %", "XRANGE % - +", "XREAD STREAMS % 0",
                "XREVRANGE % + - COUNT 1", "PEXPIRE % 1", "TYPE %", "UNLINK %")
            + on("\(workspace):bots", "ZADD % 0 m", "ZREM % m", "ZCARD %", "ZRANGE % 0 0", "EXISTS %")
    }()

    /// `%` stands for the key or channel.
    private static func on(_ object: String, _ commands: String...) -> [Need] {
        commands.map { command in
            Need(words: command.split(separator: " ").map { $0 == "%" ? object : String($0) })
        }
    }
}

extension Doctor {
    /// How many missing rights a line names.
    private static let shownRights = 5

    static func rights(_ reading: Reading) -> Finding {
        let subject = "rights"
        let user = shown(reading.user)
        guard case .given(let missing) = reading.missingRights else {
            return .unknown(
                subject, because: reading.missingRights.reason,
                "See that the user may do what docs/operations.md, \"Rights in Redis\", lists.")
        }
        guard !missing.isEmpty else {
            return .ok(subject, "the user \(user) may do all that nodes, runners and scripts do")
        }
        var names = missing.prefix(shownRights).map { need in
            need.command.replacing("|", with: " ").uppercased() + (need.object.map { " \($0)" } ?? "")
        }
        if missing.count > shownRights { names.append("\(missing.count - shownRights) more") }
        var commands: [String] = []
        for need in missing where !commands.contains("+" + need.command) { commands.append("+" + need.command) }
        return .fail(
            subject, "the user \(user) may not \(names.joined(separator: ", "))",
            "`ACL SETUSER \(user) ~usher:* ~\(WireNames.segmentStream) &bot_commands:meeting:* "
                + "\(commands.joined(separator: " "))`, where these commands are not renamed away.")
    }

    /// Nodes and runners give Redis all scripts at each connection, and do not start without.
    static func scripts(_ reading: Reading) -> Finding {
        guard let first = reading.refusedScripts.first else {
            return .ok("scripts", "all \(reading.scriptCount) load")
        }
        return .fail(
            "scripts",
            "\(reading.refusedScripts.count) of \(reading.scriptCount) do not load, such as \(first.name): "
                + shown(first.reason), "Allow SCRIPT LOAD, EVAL and EVALSHA; no node starts without.")
    }
}
