/// Whether, and after how long, a node that ended is started again.
///
/// One that ran for a while is started again soon. One that keeps ending at once would do so for ever, so after a few
/// times it is given up.
struct RestartPolicy {
    /// A node that ran for less ended "at once".
    static let quickMilliseconds = 10_000
    /// One that the kernel grants no process is tried again after so long, for as long as that lasts.
    static let shortageMilliseconds = 5_000
    private static let delaysMilliseconds = [250, 500, 1000]

    private var quickEnds = 0

    /// - Returns: how long to wait, in milliseconds; nil to give up.
    mutating func delay(afterRunningFor milliseconds: Int) -> Int? {
        quickEnds = milliseconds < Self.quickMilliseconds ? quickEnds + 1 : 1
        return quickEnds <= Self.delaysMilliseconds.count ? Self.delaysMilliseconds[quickEnds - 1] : nil
    }
}
