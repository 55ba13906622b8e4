import AttendingBot
import EventLoop
import Log
import Runner
import SimulatedBot
import Usher

/// The settings of one start: every value is checked, and every one has a value or a documented absence.
struct Settings: Equatable, Sendable {
    /// What was given by flag or variable; everything else has its default.
    private(set) var given: [Setting.Key: String]

    /// - Parameter given: values that their settings accept.
    init(given: [Setting.Key: String] = [:]) {
        self.given = given
    }

    /// An IPv4 or IPv6 address.
    var host: String { text(.host) }
    /// 0 lets the system choose.
    var port: Int { number(.port) }
    var redisURL: String { text(.redis) }
    /// nil: `--redis` and USHER_REDIS are absent, and `usher up` runs a Redis of its own.
    var givenRedisURL: String? { given[.redis] }
    /// Whether other nodes of the same Redis may listen on this node's ports too.
    var sharesPort: Bool { text(.sharePort) == "yes" }
    /// nil: admin requests are refused.
    var adminKey: String? { given[.adminKey] }
    /// Of `/metrics`, `/admin` and `/internal`; nil: they are on `port`. 0 lets the system choose.
    var metricsPort: Int? { given[.metricsPort].flatMap { Int($0) } }
    var adminPort: Int? { given[.adminPort].flatMap { Int($0) } }
    var internalPort: Int? { given[.internalPort].flatMap { Int($0) } }
    /// The address of those ports.
    var privateHost: String { given[.privateHost] ?? host }
    var nodes: Int { number(.nodes) }
    var dataFolder: String { text(.data) }
    var loops: Int { number(.loops) }

    var redisTimeoutMilliseconds: Int { number(.redisTimeout) }
    /// 0: changes wait for no replica.
    var redisWaitReplicas: Int { number(.redisWaitReplicas) }
    var redisWaitMilliseconds: Int { number(.redisWait) }
    var requestTimeoutMilliseconds: Int { number(.requestTimeout) }
    var lockTTLMilliseconds: Int { number(.lockTTL) }
    var lockWaitMilliseconds: Int { number(.lockWait) }
    var inFlightTTLMilliseconds: Int { number(.inFlightTTL) }
    var maxConcurrentBots: Int { number(.maxConcurrentBots) }
    var maxMeetings: Int { number(.maxMeetings) }
    var maxWorkspaceBytes: Int { number(.maxWorkspaceBytes) }
    /// nil: the setting is absent. `usher admin` then leaves an existing limit alone.
    var givenMaxConcurrentBots: Int? { given[.maxConcurrentBots].flatMap { Int($0) } }
    /// In stream entries, for each partition.
    var eventsMaxLength: Int { number(.eventsMaxLength) }

    var maxRequestLineBytes: Int { number(.maxRequestLine) }
    var maxHeaderBytes: Int { number(.maxHeader) }
    var maxHeaderFields: Int { number(.maxHeaderFields) }
    var maxBodyBytes: Int { number(.maxBody) }
    /// 0: for ever.
    var retentionMilliseconds: Int { number(.retention) }
    var maxReportBytes: Int { number(.maxReport) }
    var answerMemoryBytes: Int { number(.answerMemory) }
    var headerTimeoutMilliseconds: Int { number(.headerTimeout) }
    var bodyTimeoutMilliseconds: Int { number(.bodyTimeout) }
    var idleTimeoutMilliseconds: Int { number(.idleTimeout) }
    var writeTimeoutMilliseconds: Int { number(.writeTimeout) }
    var maxConnections: Int { number(.maxConnections) }
    var backlog: Int { number(.backlog) }
    /// 0: any number.
    var maxConnectionsPerAddress: Int { number(.maxConnectionsPerAddress) }
    /// nil: requests are not limited.
    var rateLimit: RateLimit? { limit(.rateLimit, .rateLimitBurst) }
    var addressRateLimit: RateLimit? { limit(.addressRateLimit, .addressRateLimitBurst) }
    /// Empty: no page of another origin may use the node.
    var corsOrigins: [String] { text(.corsOrigins).split(separator: ",").map(String.init) }
    var trustedProxies: [AddressRange] {
        text(.trustedProxies).split(separator: ",").compactMap { AddressRange($0) }
    }
    var webhookAllow: [AddressRange] {
        text(.webhookAllow).split(separator: ",").compactMap { AddressRange($0) }
    }
    /// nil: those of the system.
    var webhookCertificates: String? { given[.webhookCertificates] }
    var drainDelayMilliseconds: Int { number(.drainDelay) }
    var drainTimeoutMilliseconds: Int { number(.drainTimeout) }

    var runners: Int { number(.runners) }
    var apiURL: String { text(.apiURL) }
    var capacity: Int { number(.capacity) }
    /// nil: the setting is absent. `usher up` then runs simulated bots.
    var launch: LaunchCommand? { given[.launch].flatMap { try? LaunchCommand($0) } }
    var cleanUp: LaunchCommand? { given[.cleanUp].flatMap { try? LaunchCommand($0) } }
    var botRedisURL: String { given[.botRedis] ?? redisURL }
    var botUsers: BotUsers.Mode { BotUsers.Mode(rawValue: text(.botRedisUsers)) ?? .auto }
    /// Whether bots may write to the segment stream, and nodes read it.
    var isStreamShared: Bool { text(.sharedStream) == "on" }
    var onStop: RunnerConfiguration.OnStop { RunnerConfiguration.OnStop(rawValue: text(.onStop)) ?? .leave }
    var showsBotOutput: Bool { text(.botOutput) == "show" }
    /// nil: bots get no more than they need.
    var passEnvironment: String? { given[.passEnvironment] }
    var botName: String { text(.botName) }
    /// nil: bots are told of no speech service.
    var transcriptionURL: String? { given[.transcriptionURL] }
    var transcriptionToken: String? { given[.transcriptionToken] }
    var transcriptionTokenFile: String? { given[.transcriptionTokenFile] }
    var transcriptionModel: String? { given[.transcriptionModel] }
    var transcriptionTier: String? { given[.transcriptionTier] }
    var joinTimeoutMilliseconds: Int { number(.joinTimeout) }
    var waitingRoomTimeoutMilliseconds: Int { number(.waitingRoomTimeout) }
    var noOneJoinedTimeoutMilliseconds: Int { number(.noOneJoinedTimeout) }
    var everyoneLeftTimeoutMilliseconds: Int { number(.everyoneLeftTimeout) }
    var leaseTTLMilliseconds: Int { number(.leaseTTL) }
    var stopGraceMilliseconds: Int { number(.stopGrace) }
    var maxAttempts: Int { number(.maxAttempts) }

    /// Those of `environment` that bots get: what nearly every program needs, and what is passed on by name.
    func botEnvironment(from environment: [String: String]) -> [String: String] {
        let names = ["PATH", "HOME", "LANG"] + (passEnvironment ?? "").split(separator: ",").map(String.init)
        return environment.filter { variable, _ in
            names.contains { $0.hasSuffix("*") ? variable.hasPrefix($0.dropLast()) : variable == $0 }
        }
    }

    /// Whether the bots of `usher up` attend.
    var attends: Bool { text(.attend) == "yes" }
    /// nil: the usual places are looked at.
    var chromium: String? { given[.chromium] }

    var attending: AttendingSettings {
        var attending = AttendingSettings()
        attending.labURL = given[.lab].map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
        attending.platformsFolder = given[.platforms]
        attending.screenshotsFolder = given[.screenshots]
        attending.pageMilliseconds = number(.attendPage)
        attending.longestMilliseconds = number(.attendLongest)
        return attending
    }

    var simulation: Simulation {
        var simulation = Simulation()
        simulation.joinMilliseconds = number(.simulateJoin)
        simulation.lobbyMilliseconds = number(.simulateLobby)
        simulation.segmentMilliseconds = number(.simulateSegment)
        simulation.meetingMilliseconds = given[.simulateMeeting].flatMap { Int($0) }
        simulation.behaviours = Set(
            text(.simulate).split(separator: ",").compactMap { Simulation.Behaviour(rawValue: String($0)) })
        simulation.presenceFolder = given[.simulatePresence]
        return simulation
    }

    var logLevel: Logger.Level { Logger.Level(rawValue: text(.logLevel)) ?? .info }
    /// nil: as suits where the lines go.
    var logFormat: Logger.Format? { given[.logFormat].flatMap(Logger.Format.init(rawValue:)) }
    /// Writes what these settings ask for.
    var logger: Logger { Logger(minimum: logLevel, format: logFormat) }

    /// Whether a value was given.
    func has(_ key: Setting.Key) -> Bool { given[key] != nil }

    /// These settings with some replaced.
    func with(_ values: [Setting.Key: String]) -> Settings {
        Settings(given: given.merging(values) { _, new in new })
    }

    /// The variables that give a child process running `command` these settings.
    func environment(of command: Command) -> [String: String] {
        var variables: [String: String] = [:]
        for setting in Setting.of(command) { variables[setting.variable] = given[setting.key] }
        return variables
    }

    private func text(_ key: Setting.Key) -> String {
        if let text = given[key] { return text }
        switch Setting[key].defaultValue {
        case .value(let text): return text
        case .computed(_, let value): return value()
        case .none: return ""
        }
    }

    private func limit(_ perSecond: Setting.Key, _ burst: Setting.Key) -> RateLimit? {
        let rate = number(perSecond)
        return rate == 0 ? nil : RateLimit(perSecond: rate, burst: number(burst))
    }

    /// The table's tests see to it that every default is one that its setting accepts.
    private func number(_ key: Setting.Key) -> Int { Int(text(key))! }
}
