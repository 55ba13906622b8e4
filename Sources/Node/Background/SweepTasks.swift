import Usher

extension BackgroundTask {
    static func sweep(_ node: TaskSurroundings) -> BackgroundTask {
        let sweeper = Sweeper(store: node.store, logger: node.logger)
        return BackgroundTask(
            name: "sweep", pace: .about(milliseconds: sweeper.pauseMilliseconds), loop: node.loop,
            work: { await sweeper.goRound() })
    }

    static func plannedBots(_ node: TaskSurroundings) -> BackgroundTask {
        let planned = PlannedBots(store: node.store, logger: node.logger)
        return BackgroundTask(
            name: "planned", pace: .about(milliseconds: planned.pauseMilliseconds), loop: node.loop,
            work: { await planned.goRound() })
    }

    static func removals(_ node: TaskSurroundings) -> BackgroundTask {
        let removals = WorkspaceRemovals(store: node.store, logger: node.logger)
        return BackgroundTask(
            name: "removals", pace: .about(milliseconds: removals.pauseMilliseconds), loop: node.loop,
            work: { await removals.goRound() })
    }
}
