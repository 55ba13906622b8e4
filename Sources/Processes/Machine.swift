import CLinux
import Glibc

/// What this process runs on.
public enum Machine {
    /// The host's name, for people (gethostname(2)).
    public static var hostName: String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "unknown" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Has the allocator keep some of what is freed (mallopt(3)). By default it gives large bodies and answers back to the
    /// kernel, one by one, and gets each page anew for the next: with bodies of 1 MiB that is half of a node's time.
    public static func keepFreedMemory() {
        mallopt(M_MMAP_THRESHOLD, 4 << 20)
        mallopt(M_TRIM_THRESHOLD, 8 << 20)
    }
}
