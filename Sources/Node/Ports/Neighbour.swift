/// A node that listens on a port of this machine.
struct Neighbour: Equatable {
    var host: String
    var port: Int
    /// A digest of its Redis' address.
    var redis: String
    var process: Int32

    private static let beginning = "usher node at "

    var name: String { "\(Self.beginning)\(host) \(port) \(redis) \(process)" }

    init(host: String, port: Int, redis: String, process: Int32) {
        self.host = host
        self.port = port
        self.redis = redis
        self.process = process
    }

    /// nil if the name is none of a node's.
    init?(name: Substring) {
        guard name.hasPrefix(Self.beginning) else { return nil }
        let words = name.dropFirst(Self.beginning.count).split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 4, let port = Int(words[1]), let process = Int32(words[3]) else { return nil }
        self.init(host: String(words[0]), port: port, redis: String(words[2]), process: process)
    }

    /// What the kernel lists, a socket a line, with its name at the end; an abstract one begins with @ (proc_pid_net(5)).
    static func all() -> [Neighbour] {
        KernelList.lines("/proc/self/net/unix").compactMap { line in
            line.firstIndex(of: UInt8(ascii: "@")).flatMap { at in
                Neighbour(name: Substring(decoding: line[(at + 1)...], as: UTF8.self))
            }
        }
    }
}
