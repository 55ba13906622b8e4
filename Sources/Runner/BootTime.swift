import EventLoop
import Glibc

/// A point on the boot clock (`CLOCK_BOOTTIME`), in nanoseconds. Unlike the monotonic clock it goes on while the
/// machine is suspended, as the leases in Redis do. It is the same for all processes of the machine.
public struct BootTime: Comparable, Hashable, Sendable {
    public var nanoseconds: UInt64

    public init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    public static func now() -> BootTime {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return BootTime(nanoseconds: UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec))
    }

    public static func < (left: BootTime, right: BootTime) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// This point moved by `milliseconds`, which may be negative.
    public func advanced(byMilliseconds milliseconds: Int) -> BootTime {
        BootTime(nanoseconds: UInt64(max(0, Int64(nanoseconds) &+ Int64(milliseconds) &* 1_000_000)))
    }

    /// Whole milliseconds from `earlier` to this point; negative if `earlier` is later.
    public func milliseconds(since earlier: BootTime) -> Int {
        Int((Int64(nanoseconds) &- Int64(earlier.nanoseconds)) / 1_000_000)
    }

    /// The same point on the clock that timers of an event loop go by, unless the machine is suspended before.
    var onMonotonicClock: MonotonicTime {
        // Rounded up, so that a timer does not find its time yet to come.
        .now().advanced(byMilliseconds: max(0, milliseconds(since: .now())) + 1)
    }
}
