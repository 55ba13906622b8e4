import API
import EventLoop
import Log
import Metrics
import Redis
import Usher
import Webhooks

/// What tells webhooks, on a loop of its own: the handshakes and certificates of receivers take their time, and no
/// request is to wait for them.
struct Deliveries: Sendable {
    private let loop: EventLoop
    private let client: Client
    let deliverer: Deliverer

    /// - Throws: `SystemError` if the kernel grants no more descriptors.
    init(_ settings: Settings, redis: RedisURL, logger: Logger) throws {
        loop = try EventLoop(name: "webhooks")
        client = Client(
            loop: loop, configuration: settings.clientConfiguration(redis, name: "usher-serve-webhooks"),
            logger: logger)
        let store = Store(client: client, configuration: settings.storeConfiguration, logger: logger)
        deliverer = Deliverer(
            store: store, configuration: settings.delivererConfiguration, node: "node-\(Identifier.hex())",
            logger: logger, body: WebhookBody.text)
    }

    /// - Throws: `SystemError` if the kernel grants no thread.
    func start() throws {
        try loop.start()
        loop.execute { [client, loop] in
            client.start()
            Self.giveBackMemory(on: loop)
        }
        Task(executorPreference: loop) { [deliverer, client] in
            _ = await client.firstLogin()
            await deliverer.run()
        }
    }

    /// Of the whole process, from time to time: this loop serves no requests.
    private static func giveBackMemory(on loop: EventLoop, _ memory: FreedMemory = FreedMemory()) {
        loop.schedule(afterMilliseconds: FreedMemory.lookMilliseconds) {
            var memory = memory
            memory.look()
            giveBackMemory(on: loop, memory)
        }
    }

    /// What is counted there.
    func samples() async -> Samples {
        await Task(executorPreference: loop) { [deliverer, client] in
            var samples = Samples()
            samples.add(deliverer.metrics)
            samples.add(client, "webhooks")
            return samples
        }.value
    }

    /// Cuts off what is under way, which another node sends again.
    func stop() {
        loop.execute { [deliverer, client] in
            deliverer.stop()
            client.shutDown()
        }
        loop.stop()
        loop.join()
    }
}
