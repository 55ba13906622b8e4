import Foundation
import Synchronization

/// Notes every command that a server runs, those of scripts too, by its MONITOR.
public final class CommandMonitor: Sendable {
    /// A command in the order in which the server ran it.
    public struct Entry: Sendable {
        /// The name in capital letters, and the arguments. No argument of a test may hold a quotation mark.
        public let words: [String]
        public let isOfScript: Bool
    }

    private let server: RedisServer
    private let socket: BlockingSocket
    private let noted = Mutex<[Entry]>([])

    public init(_ server: RedisServer) throws {
        self.server = server
        socket = try BlockingSocket(path: server.socketPath)
        socket.write("MONITOR\r\n")
        guard socket.readLine() == "+OK" else { throw TestServerError("MONITOR was refused") }
        Thread.detachNewThread { [socket, weak self] in
            while let line = socket.readLine() { self?.note(line) }
        }
    }

    deinit { socket.disconnect() }

    /// What has run so far.
    public func entries() async throws -> [Entry] {
        let mark = UUID().uuidString
        try server.ask("ECHO \(mark)")
        try await waitFor("the monitor has seen everything") { [self] in
            noted.withLock { $0.contains { $0.words.last == mark } }
        }
        return noted.withLock { $0 }
    }

    /// `+1700000000.000001 [0 lua] "HGET" "key" "field"`
    private func note(_ line: String) {
        guard let start = line.firstIndex(of: "\"") else { return }
        var words = line[start...].dropFirst().dropLast().components(separatedBy: "\" \"")
        words[0] = words[0].uppercased()
        let entry = Entry(words: words, isOfScript: line[..<start].contains(" lua] "))
        noted.withLock { $0.append(entry) }
    }
}
