import Archive

extension BackgroundTask {
    /// Moves transcripts to the archive, if there is one, on its threads: the node's, as requests read there too. Without one it
    /// removes what Redis keeps.
    static func archive(_ node: TaskSurroundings) -> BackgroundTask {
        let archive = node.archive
        let client = node.client("archive", on: archive.loop, waits: true)
        let archiver = Archiver(store: node.store(client), archive: archive, logger: node.logger)
        return BackgroundTask(
            name: "archive", pace: .itself, loop: archive.loop, client: client,
            work: { await archiver.run() },
            count: { $0.add(archiver) },
            end: { archiver.stop() })
    }
}
