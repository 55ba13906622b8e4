import Usher

extension BackgroundTask {
    /// Takes in transcript segments of the stream, by a connection for that alone, since what it reads is large.
    static func segments(_ node: TaskSurroundings) -> BackgroundTask? {
        guard node.configuration.readsStream else { return nil }
        let client = node.client("segments", on: node.loop)
        let reader = SegmentReader(
            store: node.store, client: client, consumer: "node-\(Identifier.hex())", logger: node.logger)
        return BackgroundTask(
            name: "segments", pace: .itself, loop: node.loop, client: client, work: { await reader.run() })
    }
}
