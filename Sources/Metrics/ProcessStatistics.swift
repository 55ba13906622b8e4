import Glibc

/// What the kernel tells of this process (proc(5)). Reading it takes some system calls: for scrapes, not for requests.
public struct ProcessStatistics: Sendable {
    public var processorSeconds = 0.0
    public var residentBytes = 0
    public var virtualBytes = 0
    /// Seconds since 1970.
    public var startTime = 0.0
    public var openDescriptors = 0
    public var maximumDescriptors = 0
    public var threads = 0

    /// nil if /proc cannot be read.
    public static func read() -> ProcessStatistics? {
        guard let stat = contents(of: "/proc/self/stat"), let end = stat.lastIndex(of: ")") else { return nil }
        // After the name, which may hold anything: fields 3 and on.
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        guard fields.count > 21, let system = contents(of: "/proc/stat") else { return nil }
        func number(_ field: Int) -> Double { Double(fields[field - 3]) ?? 0 }
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        let bootLine = system.split(separator: "\n").first { $0.hasPrefix("btime ") }
        var limits = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits)
        var statistics = ProcessStatistics()
        statistics.processorSeconds = (number(14) + number(15)) / ticks
        statistics.threads = Int(number(20))
        statistics.startTime = (bootLine.flatMap { Double($0.dropFirst(6)) } ?? 0) + number(22) / ticks
        statistics.virtualBytes = Int(number(23))
        statistics.residentBytes = Int(number(24)) * sysconf(Int32(_SC_PAGESIZE))
        statistics.openDescriptors = entries(of: "/proc/self/fd")
        statistics.maximumDescriptors = Int(clamping: limits.rlim_cur)
        return statistics
    }

    /// What the process has in memory, and nothing else: two system calls. Nil if /proc cannot be read.
    public static func residentBytes() -> Int? {
        contents(of: "/proc/self/statm")?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
            .map { $0 * sysconf(Int32(_SC_PAGESIZE)) }
    }

    private static func contents(of path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = Glibc.read(file, &piece, piece.count)
            guard count > 0 else { return count == 0 ? String(decoding: bytes, as: UTF8.self) : nil }
            bytes += piece[..<count]
        }
    }

    /// How many entries a folder has, without `.`, `..` and, since it is /proc/self/fd, the one of its reading.
    private static func entries(of path: String) -> Int {
        guard let folder = opendir(path) else { return 0 }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        return max(0, count - 3)
    }
}
