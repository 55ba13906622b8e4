import EventLoop
import Glibc
import Log
import Processes
import Redis
import Synchronization
import Usher

/// `usher watch`: one line for each change of a meeting, from now or some time on until it is told to stop.
enum WatchCommand {
    /// - Returns: 0 after a stop signal, or when its output cannot be written any more; 1 if Redis does not let it look.
    static func run(_ settings: Settings, _ filter: EventWatch.Filter) -> Int32 {
        do {
            // First of all, before any thread could get the signals in the ordinary way.
            let signals = try StopSignals()
            let redis = try RedisURL(settings.redisURL)
            let loop = try EventLoop(name: "watch")
            try loop.start()
            // Not waited for: it may be in the middle of a line that nobody reads, and the process ends now.
            defer { loop.stop() }
            // Events go to standard output, and what is said about Redis to standard error.
            let format = settings.logFormat ?? (isatty(STDOUT_FILENO) == 1 ? .people : .json)
            let clients = clients(settings, redis, loop)
            let watch = EventWatch(
                store: Store(client: clients[0], configuration: settings.storeConfiguration), blocking: clients[1],
                isCluster: redis.isCluster, filter: filter, logger: settings.logger)
            let hasEnded = try MainThread.Flag()
            let failure = Mutex<String?>(nil)
            let watching = Task(executorPreference: loop) {
                for client in clients { client.start() }
                do {
                    for client in clients {
                        if case .refused(let text) = await client.firstLogin() { throw RedisError.refused(text) }
                    }
                    try await watch.run { Terminal.say(EventLine.text($0, $1, format)) }
                } catch {
                    failure.withLock { $0 = "\(error)" }
                }
                hasEnded.raise()
            }
            _ = waitUntilReadable([signals.descriptor, hasEnded.descriptor], deadline: nil)
            let text = failure.withLock { $0 }
            watching.cancel()
            loop.execute { for client in clients { client.shutDown() } }
            if let text { Terminal.complain("\(text)") }
            return text == nil ? 0 : 1
        } catch {
            Terminal.complain("\(error)")
            return 1
        }
    }

    /// One for questions, and one for reads that block.
    private static func clients(_ settings: Settings, _ redis: RedisURL, _ loop: EventLoop) -> [Client] {
        var configuration = settings.clientConfiguration(redis, name: "usher-watch")
        configuration.scripts = []
        var blocking = configuration
        blocking.isForBlockingReads = true
        // What becomes of the connection is told once.
        return [
            Client(loop: loop, configuration: configuration, logger: Logger(minimum: .error)),
            Client(loop: loop, configuration: blocking, logger: settings.logger),
        ]
    }
}
