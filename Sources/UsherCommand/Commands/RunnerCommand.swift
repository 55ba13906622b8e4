import CLinux
import EventLoop
import Glibc
import Log
import Processes
import Redis
import Runner
import Synchronization
import Usher

/// `usher runner`: one runner in the foreground, until a signal stops it.
enum RunnerCommand {
    /// - Returns: 0 after a stop in good order, 1 if it could not start, 2 if a setting names what cannot be used.
    static func run(_ settings: Settings, environment: [String: String]) -> Int32 {
        let logger = settings.logger
        do {
            guard let launch = settings.launch else { throw UsageError("--launch is needed.") }
            // First of all, before any thread could get the signals in the ordinary way.
            let signals = try StopSignals()
            _ = ProcessLimits.raiseOpenFiles()
            // What a bot leaves behind comes here if its supervisor is killed, and is ended then.
            guard usher_adopt_orphans() == 0 else { throw SystemError("adopt orphans") }
            var configuration = try configuration(settings, launch, environment)
            try settings.checkPrograms(searchPath: configuration.environment["PATH"] ?? "")
            if configuration.transcription == nil {
                logger.info("Bots are told of no speech service; those that have none of their own stay silent")
            }
            configuration.controlGroups = controlGroups(logger)
            defer { configuration.controlGroups?.remove() }
            let loop = try EventLoop(name: "runner")
            try loop.start()
            let recordings = try configuration.recordingsFolder.map {
                try RecordingsThread(settings, redis: configuration.redis, folder: $0, logger: logger)
            }
            let runner = Runner(
                loop: loop, configuration: configuration, storeConfiguration: settings.storeConfiguration,
                recordings: recordings?.keeper, logger: logger)
            // First, so that a port that is taken is told before anything is begun.
            let listener = try settings.metricsPort.map {
                try RunnerListener(runner, host: settings.privateHost, port: $0, loop: loop, logger: logger)
            }
            loop.execute { runner.start() }
            recordings?.start()
            defer { recordings?.stop() }
            let examination = StartExamination(settings.patient(configuration.redis), loop: loop, logger: logger)
            Task(executorPreference: loop) {
                if await runner.refusalOfLogin() == nil { await examination.run() }
            }
            logger.info("Running bots", ["runner": runner.id, "capacity": String(settings.capacity)])
            if let refusal = try wait(for: runner, on: loop, signals, examination, listener) {
                Terminal.complain("Redis refuses this runner: \(refusal)", in: logger)
                return 1
            }
            logger.info("Stopped")
            return 0
        } catch let error as UsageError {
            Terminal.complain(error.description, in: logger)
            return 2
        } catch {
            Terminal.complain("\(error)", in: logger)
            return 1
        }
    }

    /// Passes stop signals on until the runner has ended.
    /// - Returns: what Redis said if it refused the first login.
    private static func wait(
        for runner: Runner, on loop: EventLoop, _ signals: StopSignals, _ examination: StartExamination,
        _ listener: RunnerListener?
    ) throws -> String? {
        let isOver = try MainThread.Flag()
        let refusal = Refusal()
        Task(executorPreference: loop) {
            guard let text = await runner.refusalOfLogin() else { return }
            refusal.text.withLock { $0 = text }
            isOver.raise()
        }
        Task(executorPreference: loop) {
            await runner.waitUntilEnded()
            isOver.raise()
        }
        while waitUntilReadable([signals.descriptor, isOver.descriptor], deadline: nil) == [signals.descriptor] {
            while signals.next() != nil { loop.execute { runner.stop() } }
        }
        if let listener { try MainThread.run(on: loop) { await listener.stop() } }
        loop.execute {
            examination.stop()
            runner.shutDown()
        }
        loop.stop()
        loop.join()
        return refusal.text.withLock { $0 }
    }

    private static func configuration(
        _ settings: Settings, _ launch: LaunchCommand, _ environment: [String: String]
    ) throws -> RunnerConfiguration {
        var configuration = RunnerConfiguration(
            redis: try RedisURL(settings.redisURL), botRedisURL: settings.botRedisURL, apiURL: settings.apiURL,
            capacity: settings.capacity, launch: launch, supervisor: [Programs.executablePath(), "supervise"],
            host: Machine.hostName)
        configuration.adoptsOrphans = true
        configuration.version = usherVersion
        settings.set(&configuration)
        // Whatever folder bots run in.
        configuration.recordingsFolder = try settings.folderOfRecordings()
        configuration.transcription = settings.transcription
        configuration.environment = settings.botEnvironment(from: environment)
        configuration.replicaWait = settings.replicaWait
        configuration.redisTLS = settings.redisTLS
        return configuration
    }

    /// Ends what dead runners have left, and makes a place for groups of this one's bots, if there may be one.
    private static func controlGroups(_ logger: Logger) -> ControlGroups? {
        let leftovers = ControlGroups.endLeftovers()
        if leftovers.found > 0 {
            logger.info(
                "Ended what dead runners have left",
                ["runners": String(leftovers.found), "remaining": String(leftovers.remaining)])
        }
        do throws(ControlGroups.Unavailable) {
            return try ControlGroups()
        } catch {
            logger.info("Bots get no control groups of their own", ["reason": "\(error)"])
            return nil
        }
    }

    private final class Refusal: Sendable {
        let text = Mutex<String?>(nil)
    }
}
