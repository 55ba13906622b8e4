import Redis
import TLS

/// Settings of a runner. Times in milliseconds.
public struct RunnerConfiguration: Sendable {
    /// What becomes of its bots when the runner is told to stop.
    public enum OnStop: String, CaseIterable, Sendable {
        /// Bots in a room are told to leave; those that are not there yet are ended, and replaced by another runner.
        case leave
        /// The runner goes on until they have ended by themselves.
        case wait
    }

    /// The Redis that holds the records.
    public var redis: RedisURL
    /// How connections to `redis` are encrypted if that asks for it; nil: as the system's authorities have it.
    public var redisTLS: TLSContext?
    /// The Redis that bots are told to use, as text: what they understand of URLs is theirs.
    public var botRedisURL: String
    /// Where the nodes are, as the bots reach them.
    public var apiURL: String
    /// The speech service that bots are told of.
    public var transcription: TranscriptionService?
    /// The folder that bots write recordings into; nil: none.
    public var recordingsFolder: String?
    /// The address that they send recordings to in place of that, and the secret that it asks for; nil: none.
    public var recordingUploadURL: String?
    public var recordingUploadToken: String?
    /// How many bots it runs at once.
    public var capacity: Int
    public var launch: LaunchCommand
    /// Run after each bot's end, for what outlives its process.
    public var cleanUp: LaunchCommand?
    /// The environment that every bot gets, besides its configuration.
    public var environment: [String: String] = [:]
    /// Whether each bot gets a user of that Redis for itself.
    public var botUsers = BotUsers.Mode.auto
    /// Whether bots may write to the segment stream.
    public var isStreamShared = true
    public var showsOutput = false
    public var onStop = OnStop.leave
    public var defaultBotName = "Usher"
    /// From a bot's claim until it must have been in its room; the waiting room's time, if that is longer.
    public var joinTimeoutMilliseconds = 600_000
    public var waitingRoomTimeoutMilliseconds = 300_000
    public var noOneJoinedTimeoutMilliseconds = 600_000
    public var everyoneLeftTimeoutMilliseconds = 120_000

    public var leaseTimeToLiveMilliseconds = 15_000
    public var stopGraceMilliseconds = 30_000
    public var redisTimeoutMilliseconds = 2_000
    /// What a claim waits for, and a renewal for one replica as long; nil: for nothing.
    public var replicaWait: ReplicaWait?
    /// How often it looks whether its bots have what they need.
    public var lookMilliseconds = 10_000
    /// How long one blocking read may wait for dispatches.
    public var blockMilliseconds = 2_000

    /// The program that supervises one bot, and its arguments: `usher supervise`.
    public var supervisor: [String]
    /// Whether this process becomes the parent of what killed supervisors leave behind, and starts nothing itself but by
    /// `ChildProcess`: then whatever else is its child is such a remnant, and is ended.
    public var adoptsOrphans = false
    /// Where each bot gets a control group of its own; nil where there are none.
    public var controlGroups: ControlGroups?
    public var host: String
    /// Of the program, for those who look after the service.
    public var version = ""

    public init(
        redis: RedisURL, botRedisURL: String, apiURL: String, capacity: Int, launch: LaunchCommand,
        supervisor: [String], host: String
    ) {
        self.redis = redis
        self.botRedisURL = botRedisURL
        self.apiURL = apiURL.hasSuffix("/") ? String(apiURL.dropLast()) : apiURL
        self.capacity = capacity
        self.launch = launch
        self.supervisor = supervisor
        self.host = host
    }
}
