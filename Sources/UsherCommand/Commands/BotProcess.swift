import BotWire
import EventLoop
import Glibc
import HTTP
import Log
import Processes
import Runner
import Synchronization

/// A process that is one bot, in the foreground, until that has left its meeting.
enum BotProcess {
    /// What its environment tells a bot.
    struct Surroundings {
        let loop: EventLoop
        let configuration: BotConfiguration
        let trace: TraceContext?
        /// Where it sends its segments by HTTP; nil: it writes them to the stream.
        let segmentsURL: HTTPURL?
        /// Of the file that it is to make of what it hears, if it records; nil: it is told of none.
        let recordingPath: String?
    }

    /// - Parameters:
    ///   - title: stands before complaints.
    ///   - name: what `ps` and `top` show, so that nobody takes one kind of bot for the other (proc(5), "comm").
    /// - Returns: the bot's exit code; 1 if it cannot be made, 2 if its configuration is refused.
    static func run(
        _ title: String, name: String, environment: [String: String], _ make: (Surroundings) throws -> some Bot
    ) -> Int32 {
        guard let json = environment[BotConfiguration.variable], !json.isEmpty else {
            Terminal.complain("\(BotConfiguration.variable) is needed: the configuration of the bot, a JSON object.")
            return 2
        }
        do {
            let configuration = try BotConfiguration(json: json)
            // First of all, before any thread could get the signals in the ordinary way.
            let signals = try StopSignals()
            setName(name)
            let loop = try EventLoop(name: "bot")
            let bot = try make(
                Surroundings(
                    loop: loop, configuration: configuration,
                    trace: environment["TRACEPARENT"].flatMap {
                        TraceContext(traceparent: $0, tracestate: environment["TRACESTATE"])
                    },
                    segmentsURL: environment[Runner.segmentsVariable].flatMap { try? HTTPURL($0) },
                    recordingPath: environment[Runner.recordingVariable].flatMap { $0.isEmpty ? nil : $0 }))
            try loop.start()
            defer {
                loop.stop()
                loop.join()
            }
            return try wait(for: bot, on: loop, signals)
        } catch let invalid as BotConfiguration.Invalid {
            Terminal.complain("\(title): \(invalid)")
            return 2
        } catch {
            Terminal.complain("\(title): \(error)")
            return 1
        }
    }

    /// Passes stop signals on until the bot has ended.
    private static func wait(for bot: some Bot, on loop: EventLoop, _ signals: StopSignals) throws -> Int32 {
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

    private static func setName(_ name: String) {
        let descriptor = open("/proc/self/comm", O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        _ = name.withCString { write(descriptor, $0, strlen($0)) }
    }

    private final class ExitCode: Sendable {
        let value = Mutex<Int32>(1)
    }
}
