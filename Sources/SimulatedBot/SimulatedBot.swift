import BotWire
import EventLoop
import HTTP
import Log
import Redis
import TLS

/// A bot that speaks the wire of a real one (docs/bot-wire.md) and attends nothing: it waits in a lobby that is not
/// there, joins, hears a built-in conversation and leaves. Its name in the room and each of its log lines say that it
/// simulates.
///
/// `@unchecked Sendable`: belongs to the thread of its loop, and every entry checks that.
public final class SimulatedBot: Bot, @unchecked Sendable {
    /// Exit codes: 0 left when it was to leave, 1 failed, 70 crashed as it was told.
    public static let crashExitCode: Int32 = 70
    /// Stands before each message of the log.
    public static let logPrefix = "simulated bot: "

    /// Why it leaves.
    private enum Departure {
        case commanded, signalled
    }

    /// How it ends.
    private enum Ending: Error, Equatable {
        case completed(StatusReport.CompletionReason)
        case failed(StatusReport.CompletionReason)
        case unwanted(status: Int)
        /// Its first report reached nobody.
        case unreachable
        case crashed
    }

    private let loop: EventLoop
    private let configuration: BotConfiguration
    private let simulation: Simulation
    private let logger: Logger
    private let identifier: String
    private let presence: Presence?
    private let acknowledged: AcknowledgedSegments?
    private let reporter: Reporter?
    private let redis: Client
    private let writer: TranscriptWriter
    private let departure: Signal<Departure>
    private var commands: CommandChannel?

    private var stage = StatusReport.FailureStage.requested
    private var reported: [StatusReport] = []
    private var transcript: Transcript?
    private var conversation = Conversation()
    private var language: String?
    private var task: BotConfiguration.Task?
    /// When the meeting ends by itself.
    private var meetingEnd: MonotonicTime?

    /// - Parameters:
    ///   - redisTLS: how it talks to a Redis with TLS; nil: as the system's authorities have it.
    ///   - trace: goes with its reports.
    ///   - segmentsURL: where it sends its segments by HTTP; nil: it writes them to the stream.
    /// - Throws: `SystemError` if the files of the presence folder cannot be written.
    public init(
        loop: EventLoop, configuration: BotConfiguration, simulation: Simulation, redisTLS: TLSContext? = nil,
        trace: TraceContext? = nil, segmentsURL: HTTPURL? = nil, logger: Logger
    ) throws(SystemError) {
        self.loop = loop
        self.configuration = configuration
        self.simulation = simulation
        var logger = logger
        logger.prefix = Self.logPrefix
        self.logger = logger
        identifier = configuration.connectionID ?? "unnamed"
        language = configuration.language
        task = configuration.task
        if let folder = simulation.presenceFolder {
            presence = try Presence(
                loop: loop, folder: folder, room: configuration.room, botID: identifier, logger: logger)
            acknowledged = try AcknowledgedSegments(
                folder: folder, room: configuration.room, botID: identifier, logger: logger)
        } else {
            presence = nil
            acknowledged = nil
        }
        reporter = configuration.callbackURL.map { [logger] url in
            Reporter(loop: loop, url: url, secret: configuration.internalSecret, trace: trace, logger: logger)
        }
        var redisConfiguration = ClientConfiguration(url: configuration.redisURL, name: "usher-simulated-bot")
        redisConfiguration.tls = redisTLS
        redis = Client(loop: loop, configuration: redisConfiguration, logger: logger)
        let poster = segmentsURL.map { [logger] url in
            Reporter(loop: loop, url: url, secret: configuration.internalSecret, trace: trace, logger: logger)
        }
        writer = TranscriptWriter(client: redis, poster: poster, logger: logger)
        departure = Signal(loop: loop)
        commands = CommandChannel(
            loop: loop, redis: redisConfiguration, meeting: configuration.meetingNumber, bot: identifier, logger: logger
        ) { [weak self] in self?.obey($0) }
    }

    /// Lives the bot's whole life, on its loop. To be called once.
    /// - Returns: the exit code. Never returns from a hang.
    public func run() async -> Int32 {
        loop.preconditionCurrent()
        logger.info(
            "Starting; it attends no real meeting",
            [
                "bot_id": identifier, "name": "\(configuration.botName) (simulated)", "room": configuration.room,
                "behaviours": simulation.behaviours.map(\.rawValue).sorted().joined(separator: ","),
            ])
        redis.start()
        let ending: Ending
        do throws(Ending) {
            try await begin()
            if !simulation.has(.noLobby) { try await waitInLobby() }
            ending = try await attend()
        } catch {
            ending = error
        }
        return await end(ending)
    }

    /// Asks it to leave, as SIGTERM does.
    public func stop() {
        loop.preconditionCurrent()
        guard !simulation.has(.ignoreTerm) else { return logger.info("Not heeding SIGTERM", ["bot_id": identifier]) }
        departure.raise(.signalled)
    }

    // MARK: Stages

    private func begin() async throws(Ending) {
        try await meetFault(crash: .crashStart, hang: .hangStart)
        await commands?.listen()
        stage = .joining
        try await report(.joining)
        try await meetFault(crash: .crashJoining, hang: .hangJoining)
        try await pause(simulation.joinMilliseconds)
        if simulation.has(.joinFailure) { throw .failed(.joinFailure) }
    }

    private func waitInLobby() async throws(Ending) {
        stage = .awaitingAdmission
        try await report(.awaitingAdmission)
        try await meetFault(crash: .crashLobby, hang: .hangLobby)
        let end = configuration.waitingRoomTimeoutMilliseconds.map { MonotonicTime.now().advanced(byMilliseconds: $0) }
        try await pause(simulation.has(.neverAdmitted) ? .max : simulation.lobbyMilliseconds, end: end)
        if simulation.has(.rejected) { throw .failed(.awaitingAdmissionRejected) }
        if simulation.has(.needsHelp) {
            try await report(.needsHelp)
            try await pause(simulation.lobbyMilliseconds, end: end)
        }
    }

    /// In the lobby: waits to be admitted, until it has waited for too long in all.
    private func pause(_ milliseconds: Int, end: MonotonicTime?) async throws(Ending) {
        let remaining = end.map { max(0, $0.milliseconds(since: .now())) } ?? .max
        try await pause(min(milliseconds, remaining))
        if remaining <= milliseconds, end != nil { throw .failed(.awaitingAdmissionTimeout) }
    }

    /// Stays in the room until something ends that.
    private func attend() async throws(Ending) -> Ending {
        stage = .active
        meetingEnd = simulation.meetingMilliseconds.map { MonotonicTime.now().advanced(byMilliseconds: $0) }
        // A real bot, too, is in the room before it can say so.
        presence?.enter()
        logger.info("Entered the room", ["bot_id": identifier])
        if configuration.isTranscribing, let meeting = configuration.meetingNumber {
            let transcript = Transcript(
                configuration: configuration, simulation: simulation, meeting: meeting, writer: writer,
                acknowledged: acknowledged)
            self.transcript = transcript
            transcript.begin()
        }
        try await report(.active)
        try await meetFault(crash: nil, hang: .hangActive)
        if simulation.has(.alone) {
            try await pause(configuration.noOneJoinedTimeoutMilliseconds ?? .max)
            return .completed(.startupAlone)
        }
        while true {
            let utterance = conversation.say(language: language, task: task)
            transcript?.hear(utterance, isLanguageKnown: language != nil)
            let half = simulation.segmentMilliseconds / 2
            try await pause(half)
            transcript?.confirm()
            try await meetFault(crash: .crashActive, hang: nil)
            try await pause(simulation.segmentMilliseconds - half)
        }
    }

    /// Waits, unless there is a reason to end. What was reported in vain is reported again meanwhile.
    private func pause(_ milliseconds: Int) async throws(Ending) {
        let start = MonotonicTime.now()
        var left = milliseconds
        repeat {
            let remaining = meetingEnd.map { max(0, $0.milliseconds(since: .now()) + 1) }
            let part = min(left, remaining ?? .max, reporter?.millisecondsUntilNextTry ?? .max)
            if await departure.wait(milliseconds: part) != nil { throw .completed(.stopped) }
            if let meetingEnd, meetingEnd <= .now() { throw .completed(.leftAlone) }
            if case .unwanted(let status) = await reporter?.deliverAgain() { throw .unwanted(status: status) }
            left = milliseconds - MonotonicTime.now().milliseconds(since: start)
        } while left > 0
    }

    private func meetFault(crash: Simulation.Behaviour?, hang: Simulation.Behaviour?) async throws(Ending) {
        if let crash, simulation.has(crash) {
            // So that what was said before the crash is in Redis, as tests expect of a crash at a stage.
            await writer.flush { true }
            throw .crashed
        }
        guard let hang, simulation.has(hang) else { return }
        logger.warning("Hanging from now on, as told", ["bot_id": identifier, "behaviour": hang.rawValue])
        await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
    }

    private func end(_ ending: Ending) async -> Int32 {
        logger.info("Ending", ["bot_id": identifier, "why": "\(ending)"])
        defer {
            commands?.close()
            redis.shutDown()
        }
        guard ending != .crashed else {
            presence?.abandon()
            return Self.crashExitCode
        }
        presence?.leave()
        transcript?.end()
        await writer.flush { departure.value != nil }
        let exitCode: Int32 =
            switch ending {
            case .completed, .unwanted(status: 409): 0
            default: 1
            }
        if !simulation.has(.exitWithoutReport) { await reportEnd(ending, exitCode: exitCode) }
        return exitCode
    }

    // MARK: Commands

    private func obey(_ command: BotCommand) {
        switch command {
        case .leave where simulation.has(.ignoreLeave):
            logger.info("Not heeding the leave command", ["bot_id": identifier])
        case .leave:
            departure.raise(.commanded)
        case .reconfigure(let language, let task):
            if let language { self.language = language }
            if let task { self.task = task }
            logger.info("Reconfigured", ["bot_id": identifier, "language": self.language ?? "(none)"])
        case .other:
            break
        }
    }

    // MARK: Reports

    private func makeReport(_ status: StatusReport.Status) -> StatusReport {
        StatusReport(
            connectionID: identifier, status: status,
            containerID: configuration.containerName ?? "simulated-bot-\(identifier)")
    }

    private func report(_ status: StatusReport.Status) async throws(Ending) {
        guard let reporter else { return }
        let report = makeReport(status)
        let outcome = await deliver(report, with: reporter) { await self.departure.wait(milliseconds: $0) != nil }
        switch outcome {
        case .unwanted(let status): throw .unwanted(status: status)
        case .unreachable where reported.count == 1 && departure.value == nil: throw .unreachable
        case .accepted, .answered, .unreachable, .postponed: break
        }
    }

    /// The last report. Nothing is left to do about one that is refused, or lost for minutes: the exit code tells the rest.
    private func reportEnd(_ ending: Ending, exitCode: Int32) async {
        guard let reporter else { return }
        var report: StatusReport
        switch ending {
        case .completed(let reason):
            report = makeReport(.completed)
            report.completionReason = reason
        case .failed(let reason):
            report = makeReport(.failed)
            report.completionReason = reason
            report.failureStage = stage
            report.reason = "simulated: \(reason.rawValue)"
        case .unwanted, .unreachable, .crashed:
            return
        }
        report.exitCode = exitCode
        _ = await deliver(report, isLast: true, with: reporter) {
            await self.departure.rest(milliseconds: $0)
            return false
        }
    }

    /// Delivers a report amid the bad ones that the behaviours ask for. What those are answered is only logged.
    private func deliver(
        _ report: StatusReport, isLast: Bool = false, with reporter: Reporter, pause: (Int) async -> Bool
    ) async -> Reporter.Outcome {
        if simulation.has(.malformedReports) {
            for body in BadReports.malformed(connectionID: identifier) { await post(body, "malformed", reporter) }
        }
        if simulation.has(.forgedReports) {
            await post(WireJSON.text(report), "forged", reporter, secret: "not-the-secret-of-this-bot")
            await post(WireJSON.text(BadReports.foreign(report)), "forged", reporter)
        }
        let outcome = await reporter.deliver(
            report, isLast: isLast, isInHurry: { departure.value != nil }, pause: pause)
        if simulation.has(.staleReports) {
            for earlier in reported { await post(WireJSON.text(earlier), "stale", reporter) }
        }
        reported.append(report)
        return outcome
    }

    private func post(_ body: String, _ kind: String, _ reporter: Reporter, secret: String? = nil) async {
        let status = try? await reporter.post(body, secret: secret)
        logger.info(
            "Sent a bad report, as told",
            ["bot_id": identifier, "kind": kind, "answer": status.map { String($0) } ?? "none"])
    }
}
