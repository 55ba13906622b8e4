import Log
import Usher

/// A dispatch that a runner has taken, from the first try to claim it until Redis knows how it ended. Belongs to the
/// thread of the runner's loop; `@unchecked Sendable` because tasks of that loop alone touch it.
final class RunningBot: @unchecked Sendable {
    let entry: DispatchEntry
    let containerName: String
    /// The bot's own, for its reports. Only its hash leaves this process for Redis.
    let secret = Identifier.secret()
    /// Read before the first try to claim it: the lease cannot have begun earlier.
    let claimedAt = BootTime.now()
    var meeting: Meeting?
    /// Its own user of Redis, if it has one.
    var login: BotUsers.Login?
    /// The trace of its dispatch; nil if the node that sent it knew nothing of traces.
    var trace: TraceContext?
    /// Whether the log says that it was told to leave: it is told so again and again.
    var isLeaving = false
    /// From its dispatch to its claim, by Redis' clock.
    var waitedMilliseconds = 0
    var supervisor: SupervisorHandle?
    /// nil where none can be made.
    var controlGroup: ControlGroup?
    /// The process group of the bot.
    var group: Int32?
    /// Why this runner ended it; nil while it has not.
    var endReason: String?
    /// Whether its process, if there was one, is gone, and only Redis has to be told.
    var hasEnded = false

    init(_ entry: DispatchEntry) {
        self.entry = entry
        trace = entry.place.trace
        containerName = "usher-\(entry.place.botID)"
    }

    var id: String { entry.place.botID }

    /// For log lines; empty if there is none.
    var traceID: String { trace?.traceID ?? "" }
}
