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
