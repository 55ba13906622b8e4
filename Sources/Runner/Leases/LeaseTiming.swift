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
    /// From a bot's claim until it must have been in its room.
    let joinTimeout: Int

    /// - Parameter stopGrace: how long after a stop a bot must have ended. The runner may hear of the stop as late as
    ///   an interval after it, so that much is not there to be used.
    init(timeToLive: Int, stopGrace: Int, joinTimeout: Int) {
        self.joinTimeout = joinTimeout
        self.timeToLive = timeToLive
        interval = timeToLive / 3
        margin = timeToLive / 5
        retry = max(50, timeToLive / 15)
        let budget = max(stopGrace - interval, stopGrace / 2)
        leaveGrace = budget * 6 / 10
        killGrace = budget * 3 / 10
    }

    /// The deadline that follows from a renewal, or a claim, that was sent at `time`.
    func deadline(renewedAt time: BootTime) -> BootTime {
        time.advanced(byMilliseconds: timeToLive - margin)
    }
}
