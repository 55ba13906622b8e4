import EventLoop
import Glibc

/// Sleeps until one of `descriptors` is readable (or closed by its peer), or `deadline` has passed.
///
/// - Parameter deadline: nil waits for ever.
/// - Returns: the readable ones; none at the deadline.
public func waitUntilReadable(_ descriptors: [Int32], deadline: MonotonicTime?) -> Set<Int32> {
    var entries = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    while true {
        var timeout: Int32 = -1
        if let deadline {
            // Rounded up: rounding down would spin through the last millisecond.
            let nanoseconds = deadline.nanoseconds.subtractingReportingOverflow(MonotonicTime.now().nanoseconds)
            timeout = nanoseconds.overflow ? 0 : Int32(clamping: nanoseconds.partialValue.ceilingMilliseconds)
        }
        let count = poll(&entries, nfds_t(entries.count), timeout)
        if count > 0 { return Set(entries.filter { $0.revents != 0 }.map(\.fd)) }
        if count == 0, let deadline, deadline <= .now() { return [] }
        precondition(count == 0 || errno == EINTR || errno == ENOMEM, SystemError("poll").description)
    }
}

extension UInt64 {
    fileprivate var ceilingMilliseconds: UInt64 { self / 1_000_000 + (self % 1_000_000 == 0 ? 0 : 1) }
}
