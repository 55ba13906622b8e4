/// The times by which leases are kept, all derived from two settings. In milliseconds.
struct LeaseTiming: Equatable, Sendable {
    /// How long a lease lives in Redis.
    let timeToLive: Int
    /// Between two renewals (docs/architecture.md, "Leases": 5 s of 15 s).
    let interval: Int
    /// How much earlier than the lease a bot's deadline is: for the kill to take effect, for a clean-up, and for what
    /// the clocks of two machines may differ in pace.
    let margin: Int
    /// After a renewal whose outcome is unknown.
    let retry: Int
    /// After a runner hears that a bot in the room is to leave, until SIGTERM.
    let leaveGrace: Int
    /// From SIGTERM to SIGKILL.
    let killGrace: Int
    /// From a bot's claim until it must have been in its room, if it may not wait for longer to be let in.
    private let joinTimeout: Int
    private let waitingRoomTimeout: Int

    /// - Parameters:
    ///   - stopGrace: how long after a stop a bot must have ended. The runner may hear of the stop as late as an interval
    ///     after it, so that much is not there to be used.
    ///   - waitingRoomTimeout: how long bots wait to be let in that were not asked to wait for longer or shorter.
    init(timeToLive: Int, stopGrace: Int, joinTimeout: Int, waitingRoomTimeout: Int) {
        self.joinTimeout = joinTimeout
        self.waitingRoomTimeout = waitingRoomTimeout
        self.timeToLive = timeToLive
        interval = timeToLive / 3
        margin = timeToLive / 5
        retry = max(50, timeToLive / 15)
        let budget = max(stopGrace - interval, stopGrace / 2)
        leaveGrace = budget * 6 / 10
        killGrace = budget * 3 / 10
    }

    /// From a bot's claim until it must have been in its room. A bot counts its waiting from the lobby on: it gets a fifth
    /// of the join timeout to come there and to tell how it ended.
    /// - Parameter asked: how long it was asked to wait to be let in, if it was.
    func joinLimit(waitingRoomTimeout asked: Int?) -> Int {
        max(joinTimeout, (asked ?? waitingRoomTimeout) + joinTimeout / 5)
    }

    /// The deadline that follows from a renewal, or a claim, that was sent at `time`.
    func deadline(renewedAt time: BootTime) -> BootTime {
        time.advanced(byMilliseconds: timeToLive - margin)
    }
}
