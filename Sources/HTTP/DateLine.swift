import CLinux
import EventLoop
import Glibc

/// The Date field (RFC 9110 section 5.6.7), made once a second.
struct DateLine {
    private var bytes: [UInt8] = []
    private var validUntil = MonotonicTime(nanoseconds: 0)

    /// The whole line with its end.
    mutating func current(at now: MonotonicTime) -> [UInt8] {
        if now >= validUntil {
            var wall = timespec()
            clock_gettime(CLOCK_REALTIME, &wall)
            bytes = Self.line(seconds: wall.tv_sec)
            validUntil = MonotonicTime(nanoseconds: now.nanoseconds + UInt64(1_000_000_000 - wall.tv_nsec))
        }
        return bytes
    }

    /// - Parameter seconds: since 1970, UTC.
    static func line(seconds: Int) -> [UInt8] {
        var seconds = seconds
        var parts = tm()
        gmtime_r(&seconds, &parts)
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let date = "\(two(parts.tm_mday)) \(months[Int(parts.tm_mon)]) \(parts.tm_year + 1900)"
        let time = "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
        return Array("Date: \(days[Int(parts.tm_wday)]), \(date) \(time) GMT\r\n".utf8)
    }

    private static func two(_ number: Int32) -> String {
        number < 10 ? "0\(number)" : "\(number)"
    }
}
