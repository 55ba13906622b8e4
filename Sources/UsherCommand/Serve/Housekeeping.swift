import EventLoop
import Log
import Redis
import Usher

/// What a node does beside answering requests, on its first loop: it sweeps, sends the bots of planned meetings,
/// and takes in transcript segments.
struct Housekeeping: Sendable {
    /// For the segment reader alone, since what it reads is large.
    let client: Client
    private let sweeping: Task<Void, Never>
    private let planning: Task<Void, Never>
    private let reading: Task<Void, Never>

    /// Starts it, on the loop's thread.
    /// - Parameter store: of that loop.
    init(_ settings: Settings, redis: RedisURL, store: Store, loop: EventLoop, logger: Logger) {
        let client = Client(
            loop: loop, configuration: settings.clientConfiguration(redis, name: "usher-serve-segments"),
            logger: logger)
        self.client = client
        let sweeper = Sweeper(store: store, logger: logger)
        let plannedBots = PlannedBots(store: store, logger: logger)
        let reader = SegmentReader(
            store: store, client: client, consumer: "node-\(Identifier.hex())", logger: logger)
        loop.execute { client.start() }
        sweeping = Task(executorPreference: loop) { await sweeper.run() }
        planning = Task(executorPreference: loop) { await plannedBots.run() }
        reading = Task(executorPreference: loop) {
            guard settings.isStreamShared else { return }
            _ = await client.firstLogin()
            await reader.run()
        }
    }

    /// Ends it, on the loop's thread. What is half-way is done again by another node, or the next time.
    func stop() {
        sweeping.cancel()
        planning.cancel()
        reading.cancel()
        client.shutDown()
    }
}
