import Metrics

/// What a store counts, from its beginning on, of what a scrape cannot read from Redis.
///
/// `@unchecked Sendable`: belongs to the thread of the store's loop.
public final class StoreMetrics: @unchecked Sendable {
    /// Re-invitations that found the workspace's lock held, and waited for it.
    public internal(set) var lockWaits = 0
    /// Those of them that did not get it (12108).
    public internal(set) var lockRefusals = 0
    /// Locks that were taken, and gone when the script looked for them: it refused, as it must.
    public internal(set) var lockExpiries = 0
    /// Bots whose lease ran out, found by this node's sweep.
    public internal(set) var leasesEnded = 0
    /// Those of them in whose place another one was sent.
    public internal(set) var leasesReplaced = 0
    /// Dispatches that no runner claimed in their time.
    public internal(set) var dispatchesExpired = 0
    /// Bots of planned meetings that this node's sweep sent.
    public internal(set) var plansSent = 0
    /// Planned meetings of which it found that it was too late to send one.
    public internal(set) var plansMissed = 0
    /// What bots wrote into the stream and this node kept as a dead letter.
    public internal(set) var deadLetters = 0
    /// From a dispatch, or that of the bot which it replaced another by, to the bot's report that it is in the room.
    public internal(set) var dispatchToLive = Histogram(.ways)
}

extension StoreMetrics: Measured {
    public static let measures: [Measure<StoreMetrics>] = [
        Measure(
            .counter, "usher_lock_waits_total",
            "Re-invitations that found the lock of their workspace held, and waited."
        ) { $0.lockWaits },
        Measure(
            .counter, "usher_lock_refusals_total",
            "Re-invitations that did not get the lock in their time: 503 (12108)."
        ) { $0.lockRefusals },
        Measure(
            .counter, "usher_lock_expiries_total",
            "Locks that expired while they were held: the script noticed, and refused."
        ) { $0.lockExpiries },
        Measure(
            histogram: "usher_dispatch_to_live_seconds",
            "From a dispatch to the bot's report that it is in the room, by Redis' clock."
        ) { [([], $0.dispatchToLive)] },
        Measure(
            .counter, "usher_dispatch_expiries_total",
            "Dispatches that no runner claimed in their time, as this node found."
        ) { $0.dispatchesExpired },
        Measure(
            .counter, "usher_lease_expiries_total", by: ["outcome"],
            "Bots whose lease ran out, as this node's sweep found, by what became of them: ended, or replaced by another."
        ) { [(["ended"], $0.leasesEnded), (["replaced"], $0.leasesReplaced)] },
        Measure(
            .counter, "usher_plans_total", by: ["outcome"],
            "Planned meetings whose time had come, by what this node's sweep did: sent their bot, or missed."
        ) { [(["sent"], $0.plansSent), (["missed"], $0.plansMissed)] },
        Measure(
            .counter, "usher_dead_letters_total",
            "What bots wrote into the stream of segments and nobody can use, as this node found: it is kept in "
                + "usher:dead_letters, with the reason."
        ) { $0.deadLetters },
    ]
}
