import Transfers
import Usher

/// When a delivery is tried again, and when it is given up.
enum RetrySchedule {
    /// Seconds from each attempt to the next, if it fails.
    static let pauses = [5, 30, 300, 1_800, 7_200, 18_000, 36_000, 36_000]
    /// No answer may put the next attempt off for longer.
    private static let longestPause = 36_000

    /// - Parameters:
    ///   - tries: how many attempts there were before this one.
    ///   - jitter: by which the pause is multiplied, so that what failed together does not come back together.
    static func outcome(
        _ answer: TransferAnswer, tries: Int, jitter: Double = .random(in: 0.9...1.1)
    ) -> DeliveryOutcome {
        guard !answer.isBlocked else { return .failed }
        switch answer.status {
        case .some(200..<300): return .delivered
        case 410: return .gone
        case nil, 408, 425, 429, .some(500...): break
        default: return .failed
        }
        guard pauses.indices.contains(tries) else { return .failed }
        let asked = min(answer.retryAfter ?? 0, longestPause)
        let pause = Int(Double(pauses[tries] * 1_000) * jitter)
        return .retry(afterMilliseconds: max(pause, asked * 1_000))
    }
}
