import Calendars
import EventLoop
import Log
import Metrics
import Redis
import Usher

/// What follows calendars, on two loops of its own: one for what waits, and one that is held while a feed is read.
struct CalendarThreads: Sendable {
    private let loop: EventLoop
    private let reader: EventLoop
    private let client: Client
    private let sync: CalendarSync

    /// - Throws: `SystemError` if the kernel grants no more descriptors.
    init(_ settings: Settings, redis: RedisURL, logger: Logger) throws {
        loop = try EventLoop(name: "calendars")
        reader = try EventLoop(name: "feeds")
        client = Client(
            loop: loop, configuration: settings.clientConfiguration(redis, name: "usher-serve-calendars"),
            logger: logger)
        let store = Store(client: client, configuration: settings.storeConfiguration, logger: logger)
        sync = CalendarSync(
            store: store, reader: reader, configuration: settings.calendarConfiguration, logger: logger)
    }

    /// - Throws: `SystemError` if the kernel grants no thread.
    func start() throws {
        try loop.start()
        try reader.start()
        loop.execute { [client] in client.start() }
        Task(executorPreference: loop) { [sync, client] in
            _ = await client.firstLogin()
            await sync.run()
        }
    }

    /// What is counted there.
    func samples() async -> Samples {
        await Task(executorPreference: loop) { [sync, client] in
            var samples = Samples()
            for outcome in CalendarSync.Outcome.allCases {
                samples.add(Catalogue.calendarSyncs, [outcome.rawValue], sync.counts[outcome] ?? 0)
            }
            samples.add(client, "calendars")
            return samples
        }.value
    }

    /// Cuts off what is under way, which another node begins anew.
    func stop() {
        loop.execute { [sync, client] in
            sync.stop()
            client.shutDown()
        }
        loop.stop()
        loop.join()
        reader.stop()
        reader.join()
    }
}
