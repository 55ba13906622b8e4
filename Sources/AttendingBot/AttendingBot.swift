import BotWire
import EventLoop
import FoundationEssentials
import HTTP
import Log
import Redis
import TLS

/// A bot that attends: it opens the meeting's page in a browser, asks to be let in, and stays until something ends that.
/// It reports by the wire of bots (docs/bot-wire.md) what the page shows.
///
/// `@unchecked Sendable`: belongs to the thread of its loop, and every entry checks that.
public final class AttendingBot: Bot, @unchecked Sendable {
    private static let lookMilliseconds = 250
    /// Says that another bot may have what this one could not begin without (sysexits.h, `EX_TEMPFAIL`).
    private static let hinderedExitCode: Int32 = 75
    /// How long the page may take to leave by its own button, and for each of the last looks at it, in ms.
    private static let leaveMilliseconds = 3_000
    /// The longest picture that nodes keep, in Base64.
    private static let maximumImageBytes = 262_144

    private let loop: EventLoop
    private let configuration: BotConfiguration
    private let settings: AttendingSettings
    private let platform: Platform
    private let logger: Logger
    private let identifier: String
    private let reporter: Reporter?
    private let redis: Client
    private let writer: TranscriptWriter
    private let outbound: Outbound
    /// nil: nothing is transcribed.
    private let service: SpeechService?
    /// Of the file that what is heard is recorded in, if it is; nil: there is no place for one.
    private let recordingPath: String?
    private let departure: Signal<Void>
    private var commands: CommandChannel?

    private var stage = StatusReport.FailureStage.requested
    private var reports = 0
    private var browser: Browser?
    private var page: MeetingPage?
    private var session: TranscriptSession?
    private var listener: Listener?
    private var recorder: Recorder?
    private var voices = Voices()
    /// How long it waits for the words of what was said last, in ms: less than runners wait for its end, unless their
    /// `--stop-grace-ms` is short. Then they send SIGTERM before they kill it.
    private var wordsPatienceMilliseconds: Int
    private var wish: SpeechService.Wish

    /// - Parameters:
    ///   - redisTLS: how it talks to a Redis with TLS; nil: as the system's authorities have it.
    ///   - trace: goes with its reports.
    ///   - segmentsURL: where it sends its segments by HTTP; nil: it writes them to the stream.
    ///   - recordingPath: of the file that it makes of what it hears, if it is to record; nil: there is no place for one.
    /// - Throws: `Platform.Invalid` if it knows no way into meetings of the platform; `BotConfiguration.Invalid` if it
    ///   cannot use the speech service.
    public init(
        loop: EventLoop, configuration: BotConfiguration, settings: AttendingSettings, redisTLS: TLSContext? = nil,
        trace: TraceContext? = nil, segmentsURL: HTTPURL? = nil, recordingPath: String? = nil, logger: Logger
    ) throws {
        self.loop = loop
        self.configuration = configuration
        self.settings = settings
        wordsPatienceMilliseconds = settings.wordsMilliseconds
        self.recordingPath = recordingPath
        self.logger = logger
        platform = try Platform(
            settings.labURL == nil ? configuration.platform : "page", folder: settings.platformsFolder)
        identifier = configuration.connectionID ?? "unnamed"
        reporter = configuration.callbackURL.map { url in
            Reporter(loop: loop, url: url, secret: configuration.internalSecret, trace: trace, logger: logger)
        }
        var redisConfiguration = ClientConfiguration(url: configuration.redisURL, name: "usher-attend")
        redisConfiguration.tls = redisTLS
        redis = Client(loop: loop, configuration: redisConfiguration, logger: logger)
        let poster = segmentsURL.map { url in
            Reporter(loop: loop, url: url, secret: configuration.internalSecret, trace: trace, logger: logger)
        }
        writer = TranscriptWriter(client: redis, poster: poster, logger: logger)
        wish = SpeechService.Wish(language: configuration.language, task: configuration.task)
        outbound = Outbound(loop: loop, certificates: settings.certificates)
        service = try Self.service(configuration, outbound)
        do throws(Outbound.Invalid) {
            if let url = configuration.recordingUploadURL { try Outbound.check(url) }
        } catch {
            throw BotConfiguration.Invalid(description: "\(BotConfiguration.variable): recordingUploadUrl \(error).")
        }
        departure = Signal(loop: loop)
        commands = CommandChannel(
            loop: loop, redis: redisConfiguration, meeting: configuration.meetingNumber, bot: identifier, logger: logger
        ) { [weak self] in self?.obey($0) }
    }

    private static func service(_ configuration: BotConfiguration, _ outbound: Outbound) throws -> SpeechService? {
        guard configuration.isTranscribing, let url = configuration.transcriptionServiceURL else { return nil }
        do throws(Outbound.Invalid) {
            return try SpeechService(
                outbound, url: url, token: configuration.transcriptionServiceToken,
                model: configuration.transcriptionModel)
        } catch {
            throw BotConfiguration.Invalid(
                description: "\(BotConfiguration.variable): transcriptionServiceUrl \(error).")
        }
    }

    /// Lives the bot's whole life, on its loop. To be called once.
    /// - Returns: the exit code: 0 left when it was to leave, 1 failed, 75 could not begin for now.
    public func run() async -> Int32 {
        loop.preconditionCurrent()
        logger.info("Starting", ["bot_id": identifier, "room": configuration.room])
        if service == nil {
            logger.info(
                configuration.isTranscribing
                    ? "Transcribes nothing: no speech service is named" : "Transcribes nothing, as it was asked",
                ["bot_id": identifier])
        }
        redis.start()
        let ending: Ending
        do throws(Ending) {
            await commands?.listen()
            stage = .joining
            try await report(.joining)
            try await openPage()
            ending = try await attend()
        } catch {
            ending = error
        }
        return await end(ending)
    }

    /// Asks it to leave, as SIGTERM does.
    public func stop() {
        loop.preconditionCurrent()
        // Runners send it first when they stop, and when a bot that was told to leave has not left by then.
        if departure.value != nil { listener?.giveUp() }
        wordsPatienceMilliseconds = min(wordsPatienceMilliseconds, 4_000)
        leave()
    }

    private func leave() {
        departure.raise(())
        page?.giveUp()
    }

    // MARK: Stages

    private func openPage() async throws(Ending) {
        do throws(BrowserError) {
            let program = BrowserProgram(
                path: settings.browserPath, folder: settings.folder, botID: identifier,
                profile: settings.profileFolder)
            let browser = try Browser(loop: loop, program: program, logger: logger)
            self.browser = browser
            let page = try await MeetingPage(browser, platform, onSound: onSound)
            self.page = page
            try await page.open(platform.address(of: configuration, lab: settings.labURL))
        } catch {
            throw failure(error)
        }
    }

    /// Looks at the page, and does what it asks for, until something ends that.
    private func attend() async throws(Ending) -> Ending {
        guard let page else { throw .failed(.joinFailure, "there is no page") }
        var attendance = Attendance(patience, now: .now())
        while true {
            if departure.value != nil { return .completed(.stopped) }
            if case .unwanted(let status) = await reporter?.deliverAgain() { throw .unwanted(status: status) }
            var look: Look?
            do throws(BrowserError) {
                look = try await page.look()
            } catch .refused {
                // As while it loads another document.
            } catch {
                throw failure(error)
            }
            switch attendance.next(look, now: .now()) {
            case .wait:
                // Pages ask on the way and in the room too, as for consent to a recording.
                _ = try? await page.dismiss()
            case .ask:
                do throws(BrowserError) {
                    try await page.ask(as: configuration.botName)
                } catch .refused {
                    // Nor while it loads another document.
                } catch {
                    throw failure(error)
                }
            case .report(let status):
                await enter(status)
                try await report(status, screenshot: status == .needsHelp ? picture() : nil)
                if status == .active { logger.info("In the room", ["bot_id": identifier]) }
            case .end(let ending): return ending
            }
            _ = await departure.wait(milliseconds: Self.lookMilliseconds)
        }
    }

    private var onSound: ((String) -> Void)? {
        guard configuration.isRecording || service != nil && configuration.meetingNumber != nil else { return nil }
        return { [weak self] payload in
            guard let self, let heard = HeardSound(payload) else { return }
            for heard in voices.take(heard, now: .now()) {
                listener?.take(heard)
                recorder?.take(heard)
            }
        }
    }

    private func enter(_ status: StatusReport.Status) async {
        switch status {
        case .awaitingAdmission: stage = .awaitingAdmission
        case .active:
            stage = .active
            // What is heard has its place on the page's clock.
            let start = await page?.time() ?? Date().timeIntervalSince1970
            if configuration.isRecording {
                recorder = Recorder(
                    loop: loop, place: placeOfRecording, start: start, maximumBytes: settings.recordingBytes,
                    botID: identifier, logger: logger)
            }
            beginTranscript(at: start)
        default: break
        }
    }

    private func beginTranscript(at start: Double) {
        guard let service, let meeting = configuration.meetingNumber, let browser else { return }
        let session = TranscriptSession(configuration: configuration, meeting: meeting, writer: writer)
        session.begin()
        self.session = session
        let store = WaitingSound(folder: browser.folder, maximumBytes: settings.waitingBytes)
        listener = Listener(
            loop: loop, service: service, session: session, origin: start, store: store, wish: wish, logger: logger)
    }

    private var placeOfRecording: Recorder.Place {
        if let url = configuration.recordingUploadURL {
            return .upload(
                RecordingUpload(
                    loop: loop, outbound: outbound, url: url, configuration: configuration, botID: identifier,
                    logger: logger))
        }
        guard let recordingPath else { return .none("its runner names no place for recordings") }
        do throws(SystemError) {
            return .file(try RecordingFile(recordingPath))
        } catch {
            return .none("\(error)")
        }
    }

    private var patience: Attendance.Patience {
        var patience = Attendance.Patience()
        patience.waitingRoomMilliseconds = configuration.waitingRoomTimeoutMilliseconds
        patience.noOneJoinedMilliseconds = configuration.noOneJoinedTimeoutMilliseconds
        patience.everyoneLeftMilliseconds = configuration.everyoneLeftTimeoutMilliseconds
        patience.reconnectionMilliseconds =
            configuration.reconnectionMilliseconds ?? patience.reconnectionMilliseconds
        patience.pageMilliseconds = settings.pageMilliseconds
        patience.longestMilliseconds = settings.longestMilliseconds
        return patience
    }

    private func failure(_ error: BrowserError) -> Ending {
        // A page that is waited for no longer has not failed.
        if departure.value != nil { return .completed(.stopped) }
        if case .notStarted(_, mayPass: true) = error { return .hindered("\(error)") }
        return .failed(stage == .active ? nil : .joinFailure, "\(error)")
    }

    // MARK: The end

    private func end(_ ending: Ending) async -> Int32 {
        var ending = ending
        if case .missed(let step) = ending { ending = await describe(miss: step) }
        logger.info("Ending", ["bot_id": identifier, "why": "\(ending)"])
        var screenshot: StatusReport.Screenshot?
        if case .failed = ending { screenshot = await picture() }
        await page?.leave(withinMilliseconds: Self.leaveMilliseconds)
        await browser?.end()
        let deadline = MonotonicTime.now().advanced(byMilliseconds: wordsPatienceMilliseconds)
        recorder?.end()
        await listener?.finish(deadline: deadline)
        await recorder?.finish(deadline: deadline)
        outbound.close()
        session?.end()
        await writer.flush { departure.value != nil }
        let exitCode: Int32 =
            switch ending {
            case .completed, .unwanted(status: 409): 0
            case .hindered: Self.hinderedExitCode
            default: 1
            }
        await reportEnd(ending, exitCode: exitCode, screenshot)
        commands?.close()
        redis.shutDown()
        return exitCode
    }

    /// A miss is loud: it names the step, and what is there instead.
    private func describe(miss step: String) async -> Ending {
        let outline = (try? await page?.outline(within: Self.leaveMilliseconds)) ?? "nothing that can be read"
        return .failed(
            .joinFailure, "the page shows nothing for the step \"\(step)\" of \(platform.name); it shows \(outline)")
    }

    /// What a person would see of the page, for the record, and for the folder if there is one; nil if it shows nothing.
    private func picture() async -> StatusReport.Screenshot? {
        guard let page, let picture = try? await page.screenshot(within: Self.leaveMilliseconds) else { return nil }
        keep(picture)
        let image = Data(picture).base64EncodedString()
        guard image.utf8.count <= Self.maximumImageBytes else { return nil }
        let outline = (try? await page.outline(within: Self.leaveMilliseconds)) ?? ""
        return StatusReport.Screenshot(image: image, outline: outline)
    }

    private func keep(_ picture: [UInt8]) {
        guard let folder = settings.screenshotsFolder else { return }
        let name = identifier.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") ? $0 : "_" }.prefix(100)
        let path = "\(folder)/\(String(name)).jpg"
        do {
            try Data(picture).write(to: URL(fileURLWithPath: path))
            logger.info("Kept a picture of the page", ["bot_id": identifier, "file": path])
        } catch {
            logger.warning("A picture of the page could not be kept", ["bot_id": identifier, "file": path])
        }
    }

    // MARK: Commands

    private func obey(_ command: BotCommand) {
        switch command {
        case .leave: leave()
        case .reconfigure(let language, let task):
            if let language { wish.language = language }
            if let task { wish.task = task }
            listener?.wish = wish
            logger.info("Reconfigured", ["bot_id": identifier])
        case .other: break
        }
    }

    // MARK: Reports

    private func makeReport(_ status: StatusReport.Status) -> StatusReport {
        StatusReport(
            connectionID: identifier, status: status, containerID: configuration.containerName ?? "usher-\(identifier)")
    }

    private func report(
        _ status: StatusReport.Status, screenshot: StatusReport.Screenshot? = nil
    ) async throws(Ending) {
        guard let reporter else { return }
        reports += 1
        var report = makeReport(status)
        report.screenshot = screenshot
        let outcome = await reporter.deliver(report) { await self.departure.wait(milliseconds: $0) != nil }
        switch outcome {
        case .unwanted(let status): throw .unwanted(status: status)
        case .unreachable where reports == 1 && departure.value == nil: throw .unreachable
        case .accepted, .answered, .unreachable, .postponed: break
        }
    }

    /// The last report. Nothing is left to do about one that is refused, or lost for minutes: the exit code tells the rest.
    private func reportEnd(_ ending: Ending, exitCode: Int32, _ screenshot: StatusReport.Screenshot?) async {
        guard let reporter else { return }
        var report: StatusReport
        switch ending {
        case .completed(let reason):
            report = makeReport(.completed)
            report.completionReason = reason
        case .failed(let reason, let text):
            report = makeReport(.failed)
            report.completionReason = reason
            report.failureStage = stage
            report.reason = text.shortened(toBytes: 1_000)
        // A failure would be the end of the dispatch.
        case .missed, .unwanted, .unreachable, .hindered: return
        }
        report.exitCode = exitCode
        report.screenshot = screenshot
        if let problem = recorder?.problem {
            report.errorDetails = [report.reason, problem].compactMap(\.self).joined(separator: "; ")
        }
        _ = await reporter.deliver(
            report, isLast: true, isInHurry: { departure.value != nil },
            pause: {
                await departure.rest(milliseconds: $0)
                return false
            })
    }
}
