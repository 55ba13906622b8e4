import Metrics

/// Counts of what a loop's feeds do.
///
/// `@unchecked Sendable`: belongs to the thread of its loop.
public final class FeedMetrics: @unchecked Sendable {
    /// Viewers now: of meetings, and of workspaces.
    public internal(set) var viewers = 0
    /// Messages told, once for each viewer.
    public internal(set) var told = 0
    /// Viewers who were told to fetch anew.
    public internal(set) var resets = 0
}

extension FeedMetrics: Measured {
    public static let measures: [Measure<FeedMetrics>] = [
        Measure(
            .gauge, "usher_feed_viewers",
            "What follows a meeting, or all meetings of a workspace: one for each socket, each of its subscriptions, and each "
                + "stream of events."
        ) { $0.viewers },
        Measure(.counter, "usher_feed_messages_total", "Messages told, once for each that is told one.") { $0.told },
        Measure(.counter, "usher_feed_resets_total", "Viewers who had to be told to fetch anew.") { $0.resets },
    ]
}
