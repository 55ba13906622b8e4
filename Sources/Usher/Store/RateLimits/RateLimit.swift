/// A token bucket: how many requests may come at once, and how many a second in the long run.
public struct RateLimit: Equatable, Sendable {
    /// 1 or more.
    public let perSecond: Int
    /// How many tokens a full bucket holds; 1 or more.
    public let burst: Int

    public init(perSecond: Int, burst: Int) {
        precondition(perSecond >= 1 && burst >= 1, "a limit lets something through")
        self.perSecond = perSecond
        self.burst = burst
    }

    /// How many tokens a loop takes out at once at most: few enough that what others hold at hand is no great part of the
    /// bucket, or of what comes into it in a second.
    var largestShare: Int { min(100, max(1, min(perSecond, burst) / 20)) }
}
