import EventLoop
import Glibc
import Log
import Redis
import Usher

/// Reads dispatches, runs a bot for each under a supervisor, and keeps the leases (docs/architecture.md, "Leases").
///
/// `@unchecked Sendable`: belongs to the thread of its loop, and every entry checks that.
public final class Runner: @unchecked Sendable {
    /// Names it in records and streams: the host, for people, and 64 random bits.
    public let id: String
    let loop: EventLoop
    let configuration: RunnerConfiguration
    let logger: Logger
    /// Only on the loop's thread.
    public let metrics = RunnerMetrics()
    let timing: LeaseTiming
    public let client: Client
    let store: Store
    /// For reads that block; nothing else may wait behind them.
    public let blocking: Client
    /// For claims that wait for replicas, if they do.
    public let claiming: Client?
    /// For renewals, which then wait for one: a primary that no replica follows may have been replaced by another one,
    /// which gives the rooms of leases out again that it has not heard of. More than one would let the loss of a single
    /// server end all bots.
    public let renewing: Client?
    let renewals: Store
    let users: BotUsers
    /// Who is told that a bot that may have recorded has ended.
    let recordings: RecordingKeeper?
    /// One, or one a partition where a read may not take several streams.
    let readers: [DispatchReader]

    var bots: [String: RunningBot] = [:]
    var leases: LeaseKeeper
    var leaseTimer: ScheduledTimer?
    var isStopping = false
    /// Nothing is read before this: something here keeps bots from being started.
    var pauseEnd = MonotonicTime(nanoseconds: 0)
    /// What that is, until a bot is started.
    var shortage: String?
    /// What its bots lack, in words; nil if nothing, or while that is not known yet.
    var problem: String?
    /// The same of the nodes alone.
    var nodesProblem: String?
    var isLookingAtNeeds = false
    var nextLookAtNeeds = MonotonicTime(nanoseconds: 0)
    var nextWarning = MonotonicTime(nanoseconds: 0)
    private var placeWaiters: [UnsafeContinuation<Void, Never>] = []
    private var endWaiters: [UnsafeContinuation<Void, Never>] = []
    private var hasEnded = false
    private let started = MonotonicTime.now()

    /// - Parameters:
    ///   - storeConfiguration: its lease and timeout are replaced by those of `configuration`.
    ///   - recordings: who is told that a bot that may have recorded has ended.
    public init(
        loop: EventLoop, configuration: RunnerConfiguration, storeConfiguration: StoreConfiguration,
        recordings: RecordingKeeper? = nil, logger: Logger
    ) {
        id = "\(configuration.host)-\(Identifier.hex().prefix(16))"
        self.loop = loop
        self.recordings = recordings
        self.configuration = configuration
        self.logger = logger
        timing = LeaseTiming(
            timeToLive: configuration.leaseTimeToLiveMilliseconds, stopGrace: configuration.stopGraceMilliseconds,
            joinTimeout: configuration.joinTimeoutMilliseconds,
            waitingRoomTimeout: configuration.waitingRoomTimeoutMilliseconds)
        leases = LeaseKeeper(timing: timing)
        var records = storeConfiguration
        records.leaseTimeToLiveMilliseconds = configuration.leaseTimeToLiveMilliseconds
        records.redisTimeoutMilliseconds = configuration.redisTimeoutMilliseconds
        var connection = ClientConfiguration(url: configuration.redis, name: "usher-runner", scripts: Store.scripts)
        connection.tls = configuration.redisTLS
        connection.connectTimeoutMilliseconds = configuration.redisTimeoutMilliseconds
        client = Client(loop: loop, configuration: connection, logger: logger)
        var reading = connection
        reading.name = "usher-runner-reader"
        reading.scripts = []
        reading.isForBlockingReads = true
        blocking = Client(loop: loop, configuration: reading, logger: logger)
        connection.replicaWait = configuration.replicaWait
        connection.name = "usher-runner-claims"
        let replicated = connection
        claiming = configuration.replicaWait.map { _ in
            Client(loop: loop, configuration: replicated, logger: logger)
        }
        store = Store(client: client, changing: claiming, configuration: records)
        connection.name = "usher-runner-renewals"
        connection.replicaWait?.replicas = 1
        let followed = connection
        renewing = configuration.replicaWait.map { _ in Client(loop: loop, configuration: followed, logger: logger) }
        renewals = Store(client: client, changing: renewing, configuration: records)
        users = BotUsers(
            client: client, store: store, mode: configuration.botUsers,
            writesToStream: configuration.isStreamShared, logger: logger)
        let parts = configuration.redis.isCluster ? Partition.all.map { [$0] } : [Partition.all]
        readers = parts.map { [id, store, blocking] partitions in
            DispatchReader(
                blocking: blocking, store: store, partitions: partitions, runnerID: id, configuration: configuration,
                logger: logger)
        }
    }

    // MARK: Life

    /// Connects and begins to work, without waiting for Redis. To be called once.
    public func start() {
        loop.preconditionCurrent()
        client.start()
        blocking.start()
        claiming?.start()
        renewing?.start()
        for index in readers.indices {
            Task(executorPreference: loop) { [self] in await readDispatches(from: readers[index]) }
        }
        Task(executorPreference: loop) { [self] in await beat() }
    }

    /// Waits for the first answer of Redis to the runner's login.
    /// - Returns: what Redis said if it refused.
    public func refusalOfLogin() async -> String? {
        for client in [client, blocking] {
            if case .refused(let text) = await client.firstLogin(), !isStopping { return text }
        }
        return nil
    }

    /// Takes nothing more, hands back what it has not started, and lets its bots leave or waits for them, as configured.
    /// Called again, it ends them at once.
    public func stop() {
        loop.preconditionCurrent()
        if isStopping { return hurry() }
        isStopping = true
        logger.info("Stopping", ["bots": String(bots.count), "on_stop": configuration.onStop.rawValue])
        wakeReaders()
        blocking.shutDown()
        Task(executorPreference: loop) { [self] in
            for reader in readers { try? await reader.giveBackAll { has($0) } }
            if configuration.onStop == .leave { await letBotsLeave() }
            endIfDone()
        }
    }

    /// Waits until it was stopped and its last bot has ended.
    public func waitUntilEnded() async {
        loop.preconditionCurrent()
        if hasEnded { return }
        await withUnsafeContinuation { endWaiters.append($0) }
    }

    /// Closes the connections. To be called once it has ended; whatever still runs here ends with the process.
    public func shutDown() {
        loop.preconditionCurrent()
        leaseTimer?.cancel()
        blocking.shutDown()
        claiming?.shutDown()
        renewing?.shutDown()
        client.shutDown()
    }

    private func letBotsLeave() async {
        // What was heard last about who is in the room may be an interval old.
        leases.hasten(bots.keys, now: .now())
        for renewal in leases.dueRenewals(now: .now()) { await renew(renewal) }
        for bot in bots.values where bot.supervisor != nil && !bot.hasEnded {
            if leases.wasInRoom(bot.id) {
                await noteEnding(of: bot, "runner_stopped")
                perform(leases.letLeave(bot.id, now: .now()))
            } else {
                end(bot, because: "runner_stopped")
            }
        }
        keepLeases()
    }

    private func hurry() {
        logger.warning("Stopping at once", ["bots": String(bots.count)])
        for bot in bots.values { end(bot, because: "runner_stopped") }
    }

    func endIfDone() {
        guard isStopping, bots.isEmpty, !hasEnded else { return }
        hasEnded = true
        Task(executorPreference: loop) { [self] in
            // Redis may have given an entry to the connection of the reads that block after that was closed here, or
            // before a claim was given up: nobody would look for it until it had been idle for as long as a lease.
            for reader in readers { try? await reader.giveBackAll { _ in false } }
            await users.settle(deadline: soon)
            try? await session.installation.endBeat(.runners, id: id)
            for waiter in endWaiters { waiter.resume() }
            endWaiters = []
        }
    }

    /// The deadline of one call to Redis.
    var soon: MonotonicTime { .now().advanced(byMilliseconds: configuration.redisTimeoutMilliseconds) }
    var session: Session { store.session(until: soon) }

    // MARK: Dispatches

    private var running: Int { bots.values.count { !$0.hasEnded } }
    private var freePlaces: Int { configuration.capacity - running }
    /// How many bots it may run at once. One that is to stop takes nothing more, so it has no place but those that are taken.
    var places: Int { isStopping ? running : configuration.capacity }

    private func readDispatches(from reader: DispatchReader) async {
        while !isStopping {
            let pause = pauseEnd.milliseconds(since: .now())
            if pause > 0 {
                await loop.wait(milliseconds: min(pause, 200))
                continue
            }
            guard freePlaces > 0 else {
                await withUnsafeContinuation { placeWaiters.append($0) }
                continue
            }
            do throws(RedisError) {
                var surplus: [DispatchEntry] = []
                for entry in try await reader.read(upTo: freePlaces, isKnown: { has($0) }) {
                    // Other readers may have taken places meanwhile; and a bot that is being handed back here may be
                    // given out again before that has ended, to a read that had begun before.
                    if freePlaces > 0, bots[entry.place.botID] == nil, pauseEnd <= .now() {
                        take(entry)
                    } else {
                        surplus.append(entry)
                    }
                }
                try await reader.giveBack(surplus)
            } catch {
                // What was to be given back may be this runner's still.
                reader.readOwnAgain()
                if case .refused(let text) = error, !isStopping {
                    logger.warning("Redis gives out no dispatches", ["reason": text])
                }
                if !isStopping { await loop.wait(milliseconds: Int.random(in: 50...200)) }
            }
        }
    }

    private func has(_ entry: DispatchEntry) -> Bool { bots[entry.place.botID]?.entry.id == entry.id }

    func reader(of partition: Partition) -> DispatchReader {
        readers.count == 1 ? readers[0] : readers[partition.number]
    }

    /// Tells the readers that there may be a place now.
    func wakeReaders() {
        let waiters = placeWaiters
        placeWaiters = []
        for waiter in waiters { waiter.resume() }
    }

    private func take(_ entry: DispatchEntry) {
        let bot = RunningBot(entry)
        bots[bot.id] = bot
        Task(executorPreference: loop) { [self] in await launch(bot) }
    }

    // MARK: Looking after itself

    /// Tells that it lives, and removes what dead runners have left in the streams.
    private func beat() async {
        let idle = max(60_000, 4 * configuration.leaseTimeToLiveMilliseconds)
        var nextRemoval = MonotonicTime.now()
        var nextRestoring = MonotonicTime.now()
        while !hasEnded {
            lookAfterNeeds()
            await writeHeartbeat()
            if nextRestoring <= .now() {
                nextRestoring = .now().advanced(byMilliseconds: timing.interval)
                await users.restore(deadline: soon)
            }
            if nextRemoval <= .now(), client.isConnected {
                nextRemoval = .now().advanced(byMilliseconds: idle)
                await users.removeLeftovers(deadline: soon)
                for partition in Partition.all {
                    _ = try? await session.bots.removeConsumers(in: partition, idleForMilliseconds: idle)
                }
            }
            await loop.wait(milliseconds: min(timing.interval, 1_000))
        }
    }

    private func writeHeartbeat() async {
        try? await session.installation.beat(
            .runners, id: id, lifetime: configuration.leaseTimeToLiveMilliseconds,
            uptime: MonotonicTime.now().milliseconds(since: started),
            fields: [
                "host": configuration.host, "process": String(getpid()), "version": configuration.version,
                "state": isStopping ? "stopping" : "running", "capacity": String(places),
                "running": String(running), "problem": problem ?? "",
            ])
    }
}
