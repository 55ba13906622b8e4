import BotWire
import EventLoop
import Glibc
import HTTP
import Log
import Processes
import SimulatedBot
import Synchronization

/// `usher simulate-bot`: one simulated bot in the foreground, until it has left its meeting.
enum SimulateBotCommand {
    /// - Returns: 0 left when it was to leave, 1 failed, 2 its configuration is refused, 70 crashed as it was told.
    static func run(_ settings: Settings, environment: [String: String]) -> Int32 {
        guard let json = environment[BotConfiguration.variable], !json.isEmpty else {
            Terminal.complain("\(BotConfiguration.variable) is needed: the configuration of the bot, a JSON object.")
            return 2
        }
        do {
            let configuration = try BotConfiguration(json: json)
            // First of all, before any thread could get the signals in the ordinary way.
            let signals = try StopSignals()
            nameProcess()
            let loop = try EventLoop(name: "bot")
            let bot = try SimulatedBot(
                loop: loop, configuration: configuration, simulation: settings.simulation,
                trace: environment["TRACEPARENT"].flatMap {
                    TraceContext(traceparent: $0, tracestate: environment["TRACESTATE"])
                },
                segmentsURL: environment["USHER_BOT_SEGMENTS_URL"].flatMap { try? HTTPURL($0) },
                logger: settings.logger)
            try loop.start()
            defer {
                loop.stop()
                loop.join()
            }
            return try wait(for: bot, on: loop, signals)
        } catch let invalid as BotConfiguration.Invalid {
            Terminal.complain("simulated bot: \(invalid)")
            return 2
        } catch {
            Terminal.complain("simulated bot: \(error)")
            return 1
        }
    }

    /// Passes stop signals on until the bot has ended.
    private static func wait(for bot: SimulatedBot, on loop: EventLoop, _ signals: StopSignals) throws -> Int32 {
        let hasEnded = try MainThread.Flag()
        let exitCode = ExitCode()
        Task(executorPreference: loop) {
            let code = await bot.run()
            exitCode.value.withLock { $0 = code }
            hasEnded.raise()
        }
        while true {
            let ready = waitUntilReadable([signals.descriptor, hasEnded.descriptor], deadline: nil)
            if ready.contains(hasEnded.descriptor) { return exitCode.value.withLock { $0 } }
            while signals.next() != nil { loop.execute { bot.stop() } }
        }
    }

    /// What `ps` and `top` show, so that nobody takes it for a bot that is in a meeting (proc(5), "comm").
    private static func nameProcess() {
        let descriptor = open("/proc/self/comm", O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        _ = "simulated-bot".withCString { write(descriptor, $0, strlen($0)) }
    }

    private final class ExitCode: Sendable {
        let value = Mutex<Int32>(1)
    }
}
