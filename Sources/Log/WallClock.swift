import CLinux
import Glibc

/// The time of day, for what is told to people and peers; nothing is decided by it.
public enum WallClock {
    /// Since 1970.
    public static var milliseconds: Int {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return now.tv_sec * 1_000 + now.tv_nsec / 1_000_000
    }
}
