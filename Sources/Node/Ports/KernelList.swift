import CLinux
import Glibc
import Processes

/// What the kernel tells of this machine's sockets in /proc, a line each.
enum KernelList {
    /// Some hundred thousand sockets. What is behind it is not looked at.
    private static let maximumBytes = 64 << 20
    /// TCP_LISTEN of the kernel's `include/net/tcp_states.h`.
    private static let listening = "0A"

    /// None if the file cannot be read.
    static func lines(_ path: String) -> [ArraySlice<UInt8>] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while bytes.count < maximumBytes {
            let count = read(file, &piece, piece.count)
            guard count > 0 else { break }
            bytes += piece[..<count]
        }
        return bytes.split(separator: UInt8(ascii: "\n"))
    }

    /// A process that listens on a TCP port, at whatever address; nil if this process may not see which one does.
    static func listener(on port: Int) -> Int32? {
        let listeners = Set(["tcp", "tcp6"].flatMap { sockets(listeningOn: port, "/proc/self/net/\($0)") })
        guard !listeners.isEmpty else { return nil }
        return names(in: "/proc").lazy.compactMap { Int32($0) }.first { process in
            let folder = "/proc/\(process)/fd"
            return names(in: folder).contains { target(of: "\(folder)/\($0)").map(listeners.contains) == true }
        }
    }

    /// By the names that links to them have: `socket:[INODE]` (proc_pid_net(5)).
    private static func sockets(listeningOn port: Int, _ path: String) -> [String] {
        lines(path).compactMap { line in
            let fields = String(decoding: line, as: UTF8.self).split(separator: " ")
            guard fields.count > 9, fields[3] == listening, let colon = fields[1].lastIndex(of: ":"),
                Int(fields[1][fields[1].index(after: colon)...], radix: 16) == port
            else { return nil }
            return "socket:[\(fields[9])]"
        }
    }

    private static func names(in path: String) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) { names.append(entry.name) }
        return names
    }

    private static func target(of link: String) -> String? {
        var text = [UInt8](repeating: 0, count: 256)
        let count = text.withUnsafeMutableBytes {
            readlink(link, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
        }
        return count > 0 ? String(decoding: text[..<count], as: UTF8.self) : nil
    }
}
