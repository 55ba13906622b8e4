import Usher

extension BackgroundTask {
    /// Looks at how Redis is set up, once it is reached.
    static func examination(_ node: TaskSurroundings) -> BackgroundTask {
        let examination = StartExamination(node.configuration.patient, loop: node.loop, logger: node.logger)
        let client = node.store.client
        return BackgroundTask(
            name: "examination", pace: .once, loop: node.loop,
            work: { if await client.firstLogin() == .ready { await examination.run() } },
            end: { examination.stop() })
    }
}
