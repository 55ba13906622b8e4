import EventLoop
import Log
import Processes
import Redis
import Usher

/// Looks after a runner's folder of recordings, on a thread of its own: the disk must not hold up the leases of bots.
struct RecordingsThread: Sendable {
    private static let stopMilliseconds = 2_000

    let keeper: RecordingKeeper
    private let loop: EventLoop
    private let client: Client

    /// - Throws: `SystemError` if the kernel grants no thread.
    init(_ settings: Settings, redis: RedisURL, folder: String, logger: Logger) throws {
        loop = try EventLoop(name: "recordings")
        let configuration = settings.clientConfiguration(redis, name: "usher-runner-recordings")
        client = Client(loop: loop, configuration: configuration, logger: logger)
        let store = Store(client: client, configuration: settings.storeConfiguration)
        keeper = RecordingKeeper(loop: loop, folder: RecordingFolder(folder), store: store, logger: logger)
        try loop.start()
    }

    func start() {
        loop.execute { client.start() }
        keeper.start()
    }

    func stop() {
        try? MainThread.run(on: loop) {
            await keeper.stop(deadline: .now().advanced(byMilliseconds: Self.stopMilliseconds))
            client.shutDown()
        }
        loop.stop()
        loop.join()
    }
}
