import Archive

extension BackgroundTask {
    /// Moves transcripts to the archive, if there is one, on its threads: the node's, as requests read there too.
    static func archive(_ node: TaskSurroundings) -> BackgroundTask? {
        guard let archive = node.archive else { return nil }
        let client = node.client("archive", on: archive.loop, waits: true)
        let archiver = Archiver(store: node.store(client), archive: archive, logger: node.logger)
        return BackgroundTask(
            name: "archive", pace: .itself, loop: archive.loop, client: client,
            work: { await archiver.run() },
            count: { $0.add(archiver) },
            end: { archiver.stop() })
    }
}
