import EventLoop
import Log
import Redis
import Scripts

/// Settings of the domain. Times in milliseconds.
public struct StoreConfiguration: Sendable {
    /// How long one command may take.
    public var redisTimeoutMilliseconds = 2_000
    /// How long a workspace's lock lives if its holder never gives it back.
    public var lockTimeToLiveMilliseconds = 5_000
    /// How long a request waits for a lock that another holds. At most 150.
    public var lockWaitMilliseconds = 150
    /// How long a dispatch counts as in flight (Re-invite API: "≤10 minutes").
    public var inFlightTimeToLiveMilliseconds = 600_000
    /// How long the record of a bot that has ended is kept.
    public var endedBotTimeToLiveMilliseconds = 86_400_000
    /// How long a bot may be in its room without its runner saying so (docs/architecture.md, "Leases").
    public var leaseTimeToLiveMilliseconds = 15_000
    /// How many bots a dispatch may take until one is in the room.
    public var maximumAttempts = 3
    /// How long before the time of a planned meeting its bot is sent.
    public var joinLeadMilliseconds = 60_000
    /// How long after that time it is still sent, if it could not be before.
    public var joinLateMilliseconds = 600_000
    /// How long transcripts, and the records of meetings that have ended, are kept; 0 for ever.
    public var retentionMilliseconds = 0
    /// The length at which a partition's event stream is trimmed.
    public var maximumEvents = 100_000
    /// The limit of a new workspace for which none is given.
    public var defaultMaximumConcurrentBots = 10
    /// How many meetings a workspace may have that has no limit of its own (`max_meetings` of its record).
    public var defaultMaximumMeetings = 100_000
    /// How many bytes all of its meetings may take, with their transcripts (`max_bytes`).
    public var defaultMaximumBytes = 128 << 20
    /// Of requests with the same API key; nil: none.
    public var keyRateLimit: RateLimit?
    /// Of requests without a valid key from the same address; nil: none.
    public var addressRateLimit: RateLimit?

    /// The most that the setting of a lease's time to live allows, of nodes and runners.
    public static let longestLeaseMilliseconds = 600_000

    public init() {}
}

/// What the records in Redis are reached with, and what is remembered of them. One for each event loop; each request and
/// task works with a `Session` of it.
public final class Store: Sendable {
    public let client: Client
    /// For changes that are to be on replicas before they are answered: another connection if there is something to
    /// wait for, so that nothing else waits for it too.
    let changing: Client
    let configuration: StoreConfiguration
    let keyOwners: KeyOwners
    let botIdentifiers: BotIdentifiers
    public let invalidRequests: InvalidRequests
    let oddRecords: OddRecords
    let largeReads: LargeReads
    /// Only on the loop's thread.
    public let metrics = StoreMetrics()
    public let memory = RedisMemory()
    /// What has the transcripts of meetings that ended long ago; nil: this process reads none.
    let archive: (any TranscriptArchive)?

    /// - Parameters:
    ///   - changing: for changes that wait for replicas; nil: they wait for none.
    ///   - archive: where transcripts are that Redis let go of.
    ///   - logger: told of records that cannot be read.
    public init(
        client: Client, changing: Client? = nil, configuration: StoreConfiguration,
        archive: (any TranscriptArchive)? = nil, logger: Logger? = nil
    ) {
        self.client = client
        self.changing = changing ?? client
        self.configuration = configuration
        self.archive = archive
        keyOwners = KeyOwners(loop: client.loop)
        botIdentifiers = BotIdentifiers(loop: client.loop)
        oddRecords = OddRecords(loop: client.loop, logger: logger)
        largeReads = LargeReads(loop: client.loop)
        invalidRequests = InvalidRequests(
            client: client, limit: configuration.addressRateLimit,
            timeoutMilliseconds: configuration.redisTimeoutMilliseconds)
    }

    /// Every script, in the form that the client loads at each connection.
    public static let scripts = Scripts.all

    /// What a request or a task works with that has to be done by a deadline.
    public func session(until deadline: MonotonicTime) -> Session { Session(store: self, deadline: deadline) }

    /// The same with so much time from now on.
    public func session(milliseconds: Int) -> Session {
        session(until: .now().advanced(byMilliseconds: milliseconds))
    }
}
