import CLinux
import Glibc

/// A point on the machine's monotonic clock (`CLOCK_MONOTONIC`), in nanoseconds. Wall-clock changes do not move it.
public struct MonotonicTime: Comparable, Hashable, Sendable {
    public var nanoseconds: UInt64

    public init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    public static func now() -> MonotonicTime {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicTime(nanoseconds: UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec))
    }

    public static func < (left: MonotonicTime, right: MonotonicTime) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// This point moved by `milliseconds`, which may be negative.
    public func advanced(byMilliseconds milliseconds: Int) -> MonotonicTime {
        MonotonicTime(nanoseconds: UInt64(max(0, Int64(nanoseconds) &+ Int64(milliseconds) &* 1_000_000)))
    }

    /// Whole milliseconds from `earlier` to this point, rounded towards zero; negative if `earlier` is later.
    public func milliseconds(since earlier: MonotonicTime) -> Int {
        Int((Int64(nanoseconds) &- Int64(earlier.nanoseconds)) / 1_000_000)
    }
}
