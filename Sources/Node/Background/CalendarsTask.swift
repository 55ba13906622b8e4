import Calendars
import EventLoop

extension BackgroundTask {
    /// Follows calendars, on two threads of its own: one for what waits, and one that is held while a feed is read.
    static func calendars(_ node: TaskSurroundings) throws -> BackgroundTask {
        let loop = try EventLoop(name: "calendars")
        let reader = try EventLoop(name: "feeds")
        let client = node.client("calendars", on: loop, waits: true)
        let sync = CalendarSync(
            store: node.store(client), reader: reader, configuration: node.configuration.calendars,
            logger: node.logger)
        return BackgroundTask(
            name: "calendars", pace: .itself, loop: loop, ownLoops: [loop, reader], client: client,
            work: { await sync.run() },
            count: { $0.add(sync) },
            // Cuts off what is under way.
            end: { sync.stop() })
    }
}
