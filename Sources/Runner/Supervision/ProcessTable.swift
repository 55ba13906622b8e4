import CLinux
import Glibc
import Processes

/// Who runs on this machine, as `/proc` tells (proc(5)).
enum ProcessTable {
    /// The children of this process, also those that have ended but were not reaped.
    static func children() -> [Int32] {
        let parent = getpid()
        return all().filter { self.parent(of: $0) == parent }
    }

    /// The processes whose environment at their start held `mark`. Children inherit it, also those that leave their
    /// group or lose their parent.
    static func processes(carrying mark: String) -> [Int32] {
        let mark = Array(mark.utf8)
        let own = getpid()
        return all().filter { id in
            guard id != own, let environment = contents(of: "/proc/\(id)/environ", limit: 1 << 20) else { return false }
            return contains(environment, mark)
        }
    }

    private static func all() -> [Int32] {
        guard let folder = opendir("/proc") else { return [] }
        defer { closedir(folder) }
        var ids: [Int32] = []
        while let entry = readdir(folder) {
            if let id = Int32(entry.name) { ids.append(id) }
        }
        return ids
    }

    private static func parent(of id: Int32) -> Int32? {
        guard let status = contents(of: "/proc/\(id)/stat", limit: 4_096) else { return nil }
        // The program's name stands in parentheses and may hold any, so the last one counts; then state and parent.
        guard let end = status.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = status[(end + 1)...].split(separator: UInt8(ascii: " "))
        return fields.count > 1 ? Int32(String(decoding: fields[1], as: UTF8.self)) : nil
    }

    private static func contents(of path: String, limit: Int) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while bytes.count < limit {
            let count = read(descriptor, &chunk, chunk.count)
            guard count > 0 else { break }
            bytes.append(contentsOf: chunk[..<count])
        }
        return bytes
    }

    private static func contains(_ bytes: [UInt8], _ mark: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { bytes in
            mark.withUnsafeBytes { mark in
                guard !mark.isEmpty, bytes.count >= mark.count else { return false }
                for start in 0...(bytes.count - mark.count)
                where bytes[start] == mark[0]
                    && memcmp(bytes.baseAddress! + start, mark.baseAddress!, mark.count) == 0
                {
                    return true
                }
                return false
            }
        }
    }
}
