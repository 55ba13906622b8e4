import CLinux
import EventLoop
import Foundation
import Redis
import Synchronization

/// What went wrong with a server of the tests' own.
public struct TestServerError: Error, CustomStringConvertible {
    public let description: String

    public init(_ description: String) {
        self.description = description
    }
}

/// A `redis-server` of the tests' own, on a Unix socket in a temporary folder, and on a port if asked for.
///
/// It cannot outlive the tests, however they end: the kernel kills it once the thread that started it is gone, and
/// that thread lives as long as the process.
public final class RedisServer: Sendable {
    public struct Options: Sendable {
        /// Listens on 127.0.0.1 too.
        public var listensOnPort = false
        /// Writes each command to an append-only file before it is answered, and reads it again on a restart.
        public var isPersistent = false
        /// Lines of a configuration file that the server may write to, as a Sentinel does.
        public var configuration: [String] = []
        /// Further words for the command line, such as `["--requirepass", "secret"]`.
        public var arguments: [String] = []

        public init() {}
    }

    private static let sharedServer = Result { try RedisServer() }

    /// The server that tests share unless they need a fault: started at the first call. Tests keep apart by their keys.
    public static func shared() throws -> RedisServer {
        try sharedServer.get()
    }

    public let folder: URL
    public let port: UInt16?
    private let options: Options
    private let process = Mutex<pid_t?>(nil)

    public var socketPath: String { folder.appendingPathComponent("redis.sock").path }

    private var configurationFile: URL { folder.appendingPathComponent("redis.conf") }

    /// Through the Unix socket.
    public var url: RedisURL { try! RedisURL("redis+unix://\(socketPath)") }

    /// - Throws: `TestServerError` with the end of the server's log if it does not answer soon.
    public init(_ options: Options = Options()) throws {
        self.options = options
        folder = try TemporaryFolder.make()
        port = options.listensOnPort ? try freePort() : nil
        if !options.configuration.isEmpty {
            let text = options.configuration.joined(separator: "\n") + "\n"
            try text.write(to: configurationFile, atomically: true, encoding: .utf8)
        }
        try start()
    }

    deinit {
        stop()
        try? FileManager.default.removeItem(at: folder)
    }

    // MARK: Faults

    /// Starts the server again, on the same socket, port and data. It must have been stopped.
    public func start() throws {
        var words = ["redis-server"] + (options.configuration.isEmpty ? [] : [configurationFile.path])
        words += [
            "--port", port.map { String($0) } ?? "0", "--bind",
            "127.0.0.1", "--unixsocket", socketPath, "--dir", folder.path, "--save", "", "--logfile", "redis.log",
        ]
        if options.isPersistent { words += ["--appendonly", "yes", "--appendfsync", "always"] }
        let started = try Spawner.shared.spawn(words + options.arguments)
        try process.withLock { process in
            precondition(process == nil, "the server runs already")
            process = started
            guard answersSoon(started) else {
                let log = try? String(contentsOf: folder.appendingPathComponent("redis.log"), encoding: .utf8)
                throw TestServerError("redis-server did not answer within 30 s: \(log?.suffix(1_000) ?? "no log")")
            }
        }
    }

    /// Ends the server at once (SIGKILL), and waits until it is gone. Does nothing if it is stopped.
    public func stop() {
        process.withLock { process in
            guard let identifier = process else { return }
            kill(identifier, SIGKILL)
            waitpid(identifier, nil, 0)
            process = nil
        }
    }

    public func restart() throws {
        stop()
        try start()
    }

    /// Keeps the server from running (SIGSTOP): its connections stay open, and nothing answers.
    public func pause() {
        process.withLock { if let identifier = $0 { kill(identifier, SIGSTOP) } }
    }

    public func resume() {
        process.withLock { if let identifier = $0 { kill(identifier, SIGCONT) } }
    }

    /// Sends one command, its words apart by blanks, on a connection of its own. Returns a line, or a bulk string.
    /// - Throws: `TestServerError` if it is refused.
    @discardableResult
    public func ask(_ command: String) throws -> String {
        let socket = try BlockingSocket(path: socketPath)
        socket.write(command + "\r\n")
        let head = socket.readLine() ?? ""
        switch head.first {
        case "$": return Int(head.dropFirst()).flatMap { socket.readText($0) } ?? ""
        case "+", ":": return String(head.dropFirst())
        default: throw TestServerError("\(command): \(head)")
        }
    }

    /// Any answer at all will do: a server that wants a password or loads its data is there.
    private func answersSoon(_ process: pid_t) -> Bool {
        let deadline = MonotonicTime.now().advanced(byMilliseconds: 30_000)
        while MonotonicTime.now() < deadline, waitpid(process, nil, WNOHANG) == 0 {
            if let socket = try? BlockingSocket(path: socketPath), socket.write("PING\r\n"), socket.readByte() != nil {
                return true
            }
            usleep(2_000)
        }
        return false
    }
}
