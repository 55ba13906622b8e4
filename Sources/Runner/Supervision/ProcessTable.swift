import CLinux
import EventLoop
import Glibc
import Processes

/// Who runs on this machine, as `/proc` tells (proc(5)). Where descriptors have run out, nobody can tell: then it is nil.
enum ProcessTable {
    /// The children of this process, also those that have ended but were not reaped.
    static func children() -> [Int32]? {
        let parent = getpid()
        return processes("stat", limit: 4_096) { _, status in self.parent(status) == parent }
    }

    /// The processes whose environment at their start held `mark`. Children inherit it, also those that leave their
    /// group or lose their parent.
    static func processes(carrying mark: String) -> [Int32]? {
        let mark = Array(mark.utf8)
        let own = getpid()
        return processes("environ", limit: 1 << 20) { id, environment in id != own && contains(environment, mark) }
    }

    /// Those of which a file says so.
    private static func processes(
        _ file: String, limit: Int, _ isWanted: (_ id: Int32, _ contents: [UInt8]) -> Bool
    ) -> [Int32]? {
        guard let folder = opendir("/proc") else { return nil }
        defer { closedir(folder) }
        var ids: [Int32] = []
        while let entry = readdir(folder) {
            guard let id = Int32(entry.name) else { continue }
            do throws(SystemError) {
                if isWanted(id, try contents(of: "/proc/\(id)/\(file)", limit: limit)) { ids.append(id) }
            } catch {
                // Others have ended, or are not this user's.
                if error.mayPass { return nil }
            }
        }
        return ids
    }

    private static func parent(_ status: [UInt8]) -> Int32? {
        // The program's name stands in parentheses and may hold any, so the last one counts; then state and parent.
        guard let end = status.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = status[(end + 1)...].split(separator: UInt8(ascii: " "))
        return fields.count > 1 ? Int32(String(decoding: fields[1], as: UTF8.self)) : nil
    }

    private static func contents(of path: String, limit: Int) throws(SystemError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError("open \(path)") }
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
