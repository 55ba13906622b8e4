import API
import EventLoop
import Usher
import Webhooks

extension BackgroundTask {
    /// Tells webhooks, on a thread of its own: the handshakes and certificates of receivers take their time, and no request
    /// is to wait for them.
    static func webhooks(_ node: TaskSurroundings) throws -> BackgroundTask {
        let loop = try EventLoop(name: "webhooks")
        let client = node.client("webhooks", on: loop)
        let deliverer = Deliverer(
            store: node.store(client), configuration: node.configuration.deliverer, node: "node-\(Identifier.hex())",
            logger: node.logger, body: { WebhookBody.text($0, $1, namesWorkspace: $2) })
        return BackgroundTask(
            name: "webhooks", pace: .itself, loop: loop, ownLoops: [loop], client: client,
            work: { await deliverer.run() },
            count: { $0.add(deliverer.metrics) },
            // Cuts off what is under way.
            end: { deliverer.stop() })
    }
}
