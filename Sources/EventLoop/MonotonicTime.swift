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

    /// This point moved by `milliseconds`, which may be negative. Stops at either end of the clock, so that a huge
    /// time-out means "never" and not "at once".
    public func advanced(byMilliseconds milliseconds: Int) -> MonotonicTime {
        let (distance, isTooFar) = milliseconds.magnitude.multipliedReportingOverflow(by: 1_000_000)
        let (moved, isOutside) =
            milliseconds < 0
            ? nanoseconds.subtractingReportingOverflow(UInt64(distance))
            : nanoseconds.addingReportingOverflow(UInt64(distance))
        guard isTooFar || isOutside else { return MonotonicTime(nanoseconds: moved) }
        return MonotonicTime(nanoseconds: milliseconds < 0 ? 0 : .max)
    }

    /// Whole milliseconds from `earlier` to this point, rounded towards zero; negative if `earlier` is later.
    public func milliseconds(since earlier: MonotonicTime) -> Int {
        Int(Int64(bitPattern: nanoseconds &- earlier.nanoseconds) / 1_000_000)
    }
}
