import Redis
import TestTurns
import Testing

@testable import Usher

/// Findings as a function of what was read: no Redis.
@Suite(.takesTurns) struct FindingsTests {
    /// Of a Redis that is set up right: the replies of 7.0.
    static let good: Reading = {
        var reading = Reading()
        reading.info = .given([
            "redis_version": "7.0.15", "redis_mode": "standalone", "role": "master", "connected_slaves": "0",
            "aof_enabled": "1", "aof_last_write_status": "ok", "rdb_last_bgsave_status": "ok",
            "aof_last_bgrewrite_status": "ok", "maxmemory": "0", "maxmemory_policy": "noeviction",
            "used_memory": "1048576", "connected_clients": "5", "maxclients": "10000", "master_repl_offset": "1000",
        ])
        reading.role = .given(.primary)
        reading.configuration = .given([
            "appendonly": "yes", "appendfsync": "always", "no-appendfsync-on-rewrite": "no", "save": "",
            "stop-writes-on-bgsave-error": "yes", "min-replicas-to-write": "0", "min-replicas-max-lag": "10",
            "timeout": "0", "maxclients": "10000",
        ])
        reading.scriptCount = 23
        reading.clock = .given(ClockReading(aheadMilliseconds: 3, uncertaintyMilliseconds: 1))
        reading.pings = [Int](repeating: 200, count: 100)
        return reading
    }()

    /// One row: what is otherwise than good, and what follows from it.
    struct Row: Sendable, CustomTestStringConvertible {
        var info: [String: String] = [:]
        var configuration: [String: String] = [:]
        var change: @Sendable (inout Reading) -> Void = { _ in }
        let level: Finding.Level
        /// Parts of the line.
        let says: [String]

        var testDescription: String { says.joined(separator: " ... ") }

        var reading: Reading {
            var reading = good
            reading.info = .given(good.info.value!.merging(info) { $1 })
            reading.configuration = .given(good.configuration.value!.merging(configuration) { $1 })
            change(&reading)
            return reading
        }
    }

    private func expect(_ row: Row, _ finding: Finding) {
        #expect(finding.level == row.level, "\(finding.line)")
        for part in row.says { #expect(finding.line.contains(part), "\(finding.line)") }
        #expect((finding.advice == nil) == (finding.level == .ok), "\(finding.line)")
    }

    @Test func aGoodRedisIsGoodInEverything() {
        let findings = Doctor.findings(Self.good, StoreConfiguration())
        #expect(findings.map(\.level) == [Finding.Level](repeating: .ok, count: 13), "\(findings)")
        #expect(Set(findings.map(\.subject)).count == findings.count)
        #expect(Finding.sum(of: findings) == "13 findings: 13 ok, 0 warn, 0 FAIL")
        #expect(findings[0].line == "ok    deployment: a standalone Redis.")
    }

    @Test func whatNoWebhookIsToldIsFound() {
        var queue = QueueReading()
        #expect(Doctor.webhooks(queue).level == .ok)
        queue.waitingWebhooks = 1
        queue.overdueMilliseconds = 119_999
        #expect(Doctor.webhooks(queue).level == .ok)
        queue.overdueMilliseconds = 120_000
        #expect(
            Doctor.webhooks(queue).line
                == "warn  webhooks: 1 webhook waiting, 0 changes unfiled, and what is due first has been due for 120 s. "
                + "See by `usher status` that nodes run, and what their log says of webhooks.")
    }

    @Test func anOperatorsEndpointThatTakesNothingIsFound() {
        var queue = QueueReading()
        func line() -> String? { Doctor.operatorEndpoint(queue)?.line }
        #expect(line() == nil)
        queue.operatorEndpoint.isThere = true
        #expect(line() == "ok    operator's endpoint: nothing waits.")
        queue.operatorEndpoint.waiting = 2
        queue.operatorEndpoint.failingMilliseconds = 119_999
        #expect(line() == "ok    operator's endpoint: something waits of 2 workspaces.")
        queue.operatorEndpoint.dropped = 1
        queue.operatorEndpoint.failingMilliseconds = 120_000
        #expect(
            line()
                == "warn  operator's endpoint: it has failed for 120 s; something waits of 2 workspaces, and 1 event "
                + "dropped so far. See what the log of nodes says of it, and that --webhook-url is right.")
        queue.operatorEndpoint.failingMilliseconds = nil
        queue.operatorEndpoint.overdueMilliseconds = 120_000
        #expect(line()?.hasPrefix("warn  operator's endpoint: something waits of 2 workspaces") == true)
        queue.operatorEndpoint = OperatorReading()
        queue.operatorEndpoint.waiting = 1
        #expect(line()?.contains("1 workspace, and no node has an address for it") == true)
    }

    @Test(arguments: [
        Row(
            change: { $0.sentinels = .given(3) }, level: .warn,
            says: ["watched by 3 Sentinels", "reached by redis://", "redis+sentinel://"]),
        Row(
            change: {
                $0.sentinels = .given(3)
                $0.scheme = "redis+sentinel"
            }, level: .ok, says: ["the primary that 3 Sentinels told of"]),
        Row(change: { $0.role = .given(.sentinel) }, level: .fail, says: ["a Sentinel", "redis+sentinel://"]),
        Row(
            change: { $0.role = .given(.replica(of: "10.0.0.5:6379", link: "connected")) }, level: .fail,
            says: ["a replica of 10.0.0.5:6379", "Name the primary"]),
        Row(
            info: ["role": "slave", "master_host": "h", "master_port": "1", "master_link_status": "down"],
            change: { $0.role = .refused("no") }, level: .fail, says: ["a replica of h:1", "down"]),
        Row(
            change: {
                $0.role = .refused("it says no")
                $0.info = .refused("it says no")
            }, level: .warn, says: ["unknown: could not look, because it says no"]),
        Row(
            info: ["redis_mode": "cluster"],
            change: { $0.cluster = .given(["cluster_state": "ok", "cluster_size": "3"]) }, level: .fail,
            says: ["a Redis Cluster with 3 primaries, reached by redis://", "redis+cluster://"]),
        Row(
            info: ["redis_mode": "cluster"],
            change: {
                $0.cluster = .given(["cluster_state": "ok", "cluster_size": "3"])
                $0.scheme = "redis+cluster"
            }, level: .ok, says: ["a Redis Cluster with 3 primaries."]),
        Row(
            info: ["redis_mode": "cluster"],
            change: {
                $0.cluster = .given(["cluster_state": "ok", "cluster_size": "3"])
                $0.scheme = "rediss+cluster"
            }, level: .ok, says: ["a Redis Cluster with 3 primaries."]),
        Row(
            change: {
                $0.sentinels = .given(3)
                $0.scheme = "rediss+sentinel"
            }, level: .ok, says: ["the primary that 3 Sentinels told of"]),
        Row(
            info: ["redis_mode": "cluster"],
            change: {
                $0.cluster = .given(["cluster_state": "fail", "cluster_size": "2", "cluster_slots_ok": "10000"])
                $0.scheme = "redis+cluster"
            }, level: .fail, says: ["which is down: 10000 of 16384 slots"]),
        Row(
            info: ["redis_mode": "cluster"], change: { $0.cluster = .refused("it says no") }, level: .warn,
            says: ["unknown: could not look, because it says no"]),
    ])
    func deployment(row: Row) { expect(row, Doctor.deployment(row.reading)) }

    @Test(arguments: [
        ("redis+unix:///s", "none: Redis is on this machine"),
        ("redis://127.0.0.2:1", "none: Redis is on this machine"),
        ("redis://10.0.0.5", "none: who can listen in between reads all"), ("rediss://10.0.0.5", "TLS"),
    ])
    func encryption(url: String, says: String) throws {
        var reading = Reading()
        reading.way = Way(try RedisURL(url))
        #expect(Doctor.encryption(reading).line.hasPrefix("ok    encryption: \(says)"))
    }

    @Test(arguments: [
        Row(info: ["redis_version": "7.0.0"], level: .ok, says: ["Redis 7.0.0"]),
        Row(info: ["redis_version": "10.1.0"], level: .ok, says: ["Redis 10.1.0"]),
        Row(
            info: ["redis_version": "7.2.4", "server_name": "valkey", "valkey_version": "8.1.0"], level: .ok,
            says: ["valkey 8.1.0, which does what Redis 7.2.4 does"]),
        Row(info: ["redis_version": "6.2.14"], level: .warn, says: ["XAUTOCLAIM", "Use Redis 7.0"]),
        Row(info: ["redis_version": "6.0.16"], level: .fail, says: ["has no XAUTOCLAIM"]),
        Row(info: ["redis_version": "latest"], level: .warn, says: ["no version"]),
        Row(
            change: { $0.info = .refused("it says no") }, level: .warn,
            says: ["unknown: could not look, because it says no"]),
    ])
    func version(row: Row) { expect(row, Doctor.version(row.reading)) }

    @Test(arguments: [
        Row(configuration: ["appendfsync": "everysec"], level: .warn, says: ["loses the last second"]),
        Row(configuration: ["appendfsync": "no"], level: .warn, says: ["30 seconds", "appendfsync always"]),
        Row(
            configuration: ["no-appendfsync-on-rewrite": "yes"], level: .warn,
            says: ["not while the file is rewritten"]),
        Row(
            configuration: ["appendonly": "no", "save": "3600 1"], level: .warn,
            says: ["snapshots only (save 3600 1)", "appendonly yes"]),
        Row(configuration: ["appendonly": "no"], level: .fail, says: ["nothing is written to disk"]),
        // A replica helps only where something makes it the primary.
        Row(
            info: ["connected_slaves": "1"], configuration: ["appendonly": "no"], level: .fail,
            says: ["nothing is written to disk"]),
        Row(
            info: ["connected_slaves": "1"], configuration: ["appendonly": "no"],
            change: { $0.sentinels = .given(3) }, level: .warn, says: ["unless a replica takes over first"]),
        Row(
            change: { $0.configuration = .refused("it says no") }, level: .warn,
            says: ["appendonly is on", "unknown: could not look, because it says no", "everysec"]),
        Row(
            info: ["aof_enabled": "0"], change: { $0.configuration = .refused("it says no") }, level: .warn,
            says: ["no append-only file", "is unknown, because it says no"]),
        Row(
            change: {
                $0.configuration = .refused("it says no")
                $0.info = .refused("it says no")
            }, level: .warn, says: ["unknown: could not look, because it says no"]),
    ])
    func persistence(row: Row) { expect(row, Doctor.persistence(row.reading)) }

    @Test(arguments: [
        Row(info: ["aof_last_write_status": "err"], level: .fail, says: ["append-only file failed", "MISCONF"]),
        // Left over from a time when there was an append-only file.
        Row(
            info: ["aof_last_write_status": "err"], configuration: ["appendonly": "no"], level: .ok,
            says: ["no write has failed"]),
        Row(
            info: ["rdb_last_bgsave_status": "err"], configuration: ["save": "3600 1"], level: .fail,
            says: ["snapshot failed", "MISCONF"]),
        Row(
            info: ["rdb_last_bgsave_status": "err"],
            configuration: ["save": "3600 1", "stop-writes-on-bgsave-error": "no"], level: .warn,
            says: ["snapshot failed"]),
        Row(info: ["rdb_last_bgsave_status": "err"], level: .warn, says: ["snapshot failed"]),
        Row(info: ["aof_last_bgrewrite_status": "err"], level: .warn, says: ["rewrite", "it grows"]),
        Row(
            change: { $0.info = .refused("it says no") }, level: .warn,
            says: ["unknown: could not look, because it says no"]),
    ])
    func writing(row: Row) { expect(row, Doctor.writing(row.reading)) }

    private static let one = [
        "connected_slaves": "1", "slave0": "ip=10.0.0.7,port=6379,state=online,offset=990,lag=1",
    ]

    @Test(arguments: [
        Row(level: .ok, says: ["none"]),
        Row(change: { $0.sentinels = .given(3) }, level: .warn, says: ["nothing to fail over to"]),
        Row(info: one, level: .ok, says: ["1 connected, the last one 10 bytes behind"]),
        Row(
            info: one, change: { $0.sentinels = .given(3) }, level: .warn,
            says: ["min-replicas-to-write is 0", "Set `min-replicas-to-write 1`"]),
        Row(
            info: one.merging(["min_slaves_good_slaves": "1"]) { $1 },
            configuration: ["min-replicas-to-write": "1"], change: { $0.sentinels = .given(3) }, level: .ok,
            says: ["takes no more changes after 10 s (min-replicas-to-write 1)"]),
        Row(
            info: one.merging(["min_slaves_good_slaves": "1"]) { $1 },
            change: {
                $0.sentinels = .given(3)
                $0.configuration = .refused("it says no")
            }, level: .ok, says: ["min-replicas-to-write is set"]),
        Row(
            info: one.merging(["min_slaves_good_slaves": "0"]) { $1 },
            configuration: ["min-replicas-to-write": "1"], level: .fail,
            says: ["only 0 replicas of 1 are good", "NOREPLICAS"]),
        Row(configuration: ["min-replicas-to-write": "1"], level: .fail, says: ["NOREPLICAS"]),
        Row(
            info: ["connected_slaves": "1", "slave0": "ip=h,port=1,state=wait_bgsave,offset=0,lag=0"], level: .warn,
            says: ["h:1 is wait_bgsave"]),
        Row(
            info: ["connected_slaves": "1", "slave0": "ip=h,port=1,state=online,offset=0,lag=40"], level: .warn,
            says: ["h:1 is online, 40 s after its last word"]),
        Row(info: ["connected_slaves": "1", "slave0": "nonsense"], level: .warn, says: ["?:? is unknown"]),
    ])
    func replicas(row: Row) { expect(row, Doctor.replicas(row.reading)) }

    @Test(
        arguments: [
            (0, 2, .warn, "Set USHER_REDIS_WAIT_REPLICAS to 2 "),
            (1, 2, .warn, "1 of 2: if one of the others"), (2, 2, .ok, "on all 2"), (1, 1, .ok, "is on it"),
            (1, 0, .fail, "0 are connected"), (2, 0, .fail, "every request that changes something fails"),
            (2, 1, .warn, "fails until they have been away for 30 s"), (4, 2, .warn, "4 replicas, and 2 are connected"),
            (4, 1, .fail, "1 are connected"),
        ] as [(Int, Int, Finding.Level, String)])
    func waiting(wanted: Int, connected: Int, level: Finding.Level, says: String) throws {
        let row = Row(
            info: Self.replicas(connected, offset: 1), change: { $0.sentinels = .given(3) }, level: level, says: [says])
        expect(row, try #require(Doctor.waiting(row.reading, for: wanted)))
    }

    private static func replicas(_ count: Int, offset: Int) -> [String: String] {
        var info = ["connected_slaves": String(count)]
        for index in 0..<count { info["slave\(index)"] = "ip=h,port=\(index),state=online,offset=\(offset),lag=0" }
        return info
    }

    @Test func oneThatLoadsIsNotWaitedFor() throws {
        let row = Row(
            info: Self.replicas(2, offset: 0), change: { $0.sentinels = .given(3) }, level: .fail,
            says: ["0 are connected"])
        expect(row, try #require(Doctor.waiting(row.reading, for: 2)))
    }

    @Test func aReplicaThatIsBackIsToBeSynchronisedAtOnce() throws {
        let row = Row(
            info: Self.replicas(2, offset: 1), configuration: ["repl-diskless-sync-delay": "5"],
            change: { $0.sentinels = .given(3) }, level: .warn, says: ["Set `repl-diskless-sync-delay 0`"])
        expect(row, try #require(Doctor.waiting(row.reading, for: 2)))
    }

    @Test func nobodyNeedsToWaitWhereNothingFailsOver() {
        var reading = Self.good
        #expect(Doctor.waiting(reading, for: 0) == nil)
        reading.sentinels = .given(3)
        #expect(Doctor.waiting(reading, for: 0) == nil)
        reading.info = .refused("it says no")
        #expect(Doctor.waiting(reading, for: 2) == nil)
    }

    @Test(arguments: [
        Row(
            info: ["maxmemory_policy": "allkeys-lru"], level: .warn,
            says: ["allkeys-lru, which drops records as soon as a maxmemory is set", "noeviction"]),
        Row(
            info: ["maxmemory_policy": "allkeys-lru", "maxmemory": "104857600"], level: .fail,
            says: ["100.0 MB with maxmemory-policy allkeys-lru", "in-flight keys and rooms", "second bot"]),
        Row(
            info: ["maxmemory_policy": "volatile-ttl", "maxmemory": "104857600"], level: .fail,
            says: ["in-flight keys, and with them accepted dispatches"]),
        Row(info: ["maxmemory": "104857600"], level: .ok, says: ["1.0 MB of 100.0 MB"]),
        Row(
            info: ["maxmemory": "104857600", "used_memory": "90000000"], level: .warn,
            says: ["85.8 MB of 100.0 MB", "OOM"]),
        Row(
            change: { $0.info = .refused("it says no") }, level: .warn,
            says: ["unknown: could not look, because it says no", "noeviction"]),
    ])
    func memory(row: Row) { expect(row, Doctor.memory(row.reading)) }

    @Test(arguments: [
        Row(
            change: {
                $0.user = "bob"
                $0.missingRights = .given([
                    Rights.Need(words: ["SET", "usher:seq:user", "0"]), Rights.Need(words: ["SCRIPT", "LOAD", "0"]),
                ])
            }, level: .fail,
            says: [
                "the user bob may not SET usher:seq:user, SCRIPT LOAD.",
                "`ACL SETUSER bob ~usher:* ~transcription_segments &bot_commands:meeting:* +set +script|load`",
            ]),
        Row(change: { $0.missingRights = .given(Rights.needs) }, level: .fail, says: [" more. `ACL SETUSER"]),
        Row(
            change: { $0.missingRights = .refused("it says no") }, level: .warn,
            says: ["unknown: could not look, because it says no"]),
    ])
    func rights(row: Row) { expect(row, Doctor.rights(row.reading)) }

    @Test(arguments: [
        Row(
            change: { $0.refusedScripts = [("claim", "ERR at\r\nline 1")] }, level: .fail,
            says: ["1 of 23 do not load, such as claim: ERR at??line 1"])
    ])
    func scripts(row: Row) { expect(row, Doctor.scripts(row.reading)) }

    @Test(arguments: [
        Row(
            change: { $0.clock = .given(ClockReading(aheadMilliseconds: -1400, uncertaintyMilliseconds: 300)) },
            level: .warn, says: ["1400 ms behind this machine", "NTP"]),
        Row(
            change: { $0.clock = .given(ClockReading(aheadMilliseconds: 1400, uncertaintyMilliseconds: 400)) },
            level: .ok, says: ["1400 ms ahead of this machine, give or take 400 ms"]),
        Row(
            change: { $0.clock = .refused("it says no") }, level: .warn,
            says: ["unknown: could not look, because it says no"]),
    ])
    func clock(row: Row) { expect(row, Doctor.clock(row.reading)) }

    @Test(arguments: [
        Row(level: .ok, says: ["0.20 ms in the middle of 100 PINGs, 0.20 ms at most"]),
        Row(
            change: { $0.pings = [100, 501_000, 100] }, level: .warn,
            says: ["501.00 ms at most", "a quarter of a Redis command's timeout (2000 ms)"]),
        Row(
            change: { $0.pings = [15_010, 15_010, 100] }, level: .warn,
            says: ["15.01 ms in the middle", "a tenth of the lock wait (150 ms)", "12108"]),
        Row(change: { $0.pings = [] }, level: .warn, says: ["no PING was answered"]),
    ])
    func latency(row: Row) { expect(row, Doctor.latency(row.reading, StoreConfiguration())) }

    @Test func latencyIsMeasuredByTheShortestTime() {
        var configuration = StoreConfiguration()
        configuration.leaseTimeToLiveMilliseconds = 1_000
        configuration.lockWaitMilliseconds = 0
        var reading = Self.good
        reading.pings = [51_000]
        #expect(Doctor.latency(reading, configuration).found.contains("a lease's reserve (200 ms)"))
        configuration.lockTimeToLiveMilliseconds = 100
        #expect(Doctor.latency(reading, configuration).found.contains("a lock's life (100 ms)"))
        reading.pings = [25_000]
        #expect(Doctor.latency(reading, configuration).level == .ok, "nobody waits for a lock here")
    }

    @Test(arguments: [
        Row(configuration: ["timeout": "300"], level: .warn, says: ["closed after 300 seconds", "timeout 0"]),
        Row(
            change: { $0.configuration = .refused("it says no") }, level: .warn,
            says: ["unknown: could not look, because it says no"]),
    ])
    func idleClients(row: Row) { expect(row, Doctor.idleClients(row.reading)) }

    @Test(arguments: [
        Row(level: .ok, says: ["5 of 10000"]),
        Row(info: ["connected_clients": "8000"], level: .warn, says: ["8000 of 10000", "maxclients"]),
        Row(
            change: {
                $0.info = .refused("it says no")
            }, level: .warn, says: ["unknown: could not look, because it says no"]),
    ])
    func clientLimit(row: Row) { expect(row, Doctor.clientLimit(row.reading)) }

    @Test func aSentinelIsAskedForNoMore() {
        var reading = Self.good
        reading.role = .given(.sentinel)
        #expect(
            Doctor.findings(reading, StoreConfiguration()).map(\.subject) == ["deployment", "encryption", "version"])
    }

    @Test func whereThereIsNoRedisTheFindingSaysWhy() {
        let wrong = Doctor.refusedLogin(to: "redis://h:1/0", "WRONGPASS invalid username-password pair.")
        #expect(
            wrong.line
                == "FAIL  connection: redis://h:1/0 refuses the login: WRONGPASS invalid username-password pair. See the "
                + "URL's user, password and database; a user needs CLIENT SETNAME and PING to log in.")
        #expect(Doctor.refusedLogin(to: "redis://h:1/0", "MISCONF Errors writing").subject == "writing to disk")
        let silent = Doctor.silence(of: "redis://h:1/0", milliseconds: 50, because: nil)
        #expect(silent.found == "redis://h:1/0 does not answer within 50 ms")
        let away = Doctor.silence(of: "redis://h:1/0", milliseconds: 50, because: "Connection\nrefused.")
        #expect(away.found == "redis://h:1/0 does not answer within 50 ms: Connection?refused")
        #expect(Doctor.lost("redis://h:1/0", .connectionLost).level == .fail)
    }

    @Test func aLineIsALineWhateverRedisSays() {
        var reading = Self.good
        reading.info = .given(["redis_version": "7.0\u{1b}[31m\n" + String(repeating: "x", count: 10_000)])
        let line = Doctor.version(reading).line
        #expect(line.count < 400 && !line.contains { $0.isNewline || $0 == "\u{1b}" })
    }
}
