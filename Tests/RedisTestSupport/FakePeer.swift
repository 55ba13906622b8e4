import CLinux
import Foundation
import Synchronization

/// A listener that plays Redis by a script: each connection is served by `serve` on a thread of its own, with its
/// number, from 0. The connection is closed when `serve` returns.
public final class FakePeer: Sendable {
    /// Empty if it listens on a port.
    public let path: String
    /// Of 127.0.0.1; nil if it listens at `path`.
    public let port: UInt16?
    private let folder: URL
    private let listener: BlockingSocket
    private let accepted = Mutex<[BlockingSocket]>([])

    public init(onPort: Bool = false, serve: @escaping @Sendable (BlockingSocket, Int) -> Void) throws {
        folder = try TemporaryFolder.make()
        port = onPort ? try freePort() : nil
        path = onPort ? "" : folder.appendingPathComponent("peer.sock").path
        if let port {
            listener = try BlockingSocket(listeningOn: port)
        } else {
            listener = try BlockingSocket(listeningAt: path)
        }
        let listener = listener
        Thread.detachNewThread { [weak self] in
            while true {
                let descriptor = accept4(listener.descriptor, nil, nil, Int32(SOCK_CLOEXEC.rawValue))
                if descriptor < 0 {
                    // The socket's time-out; the wait goes on for as long as the test.
                    if errno == EAGAIN || errno == EINTR { continue }
                    return
                }
                let socket = BlockingSocket(owning: descriptor, givesUp: false)
                guard let number = self?.note(socket) else { return }
                Thread.detachNewThread {
                    serve(socket, number)
                    socket.disconnect()
                }
            }
        }
    }

    deinit {
        listener.disconnect()
        for socket in accepted.withLock({ $0 }) { socket.disconnect() }
        try? FileManager.default.removeItem(at: folder)
    }

    /// How many connections have been accepted so far.
    public var connectionCount: Int { accepted.withLock { $0.count } }

    private func note(_ socket: BlockingSocket) -> Int {
        accepted.withLock { accepted in
            accepted.append(socket)
            return accepted.count - 1
        }
    }
}

extension BlockingSocket {
    fileprivate convenience init(listeningAt path: String) throws {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        self.init(owning: descriptor)
        guard withUnixAddress(path, { bind(descriptor, $0, $1) }) == 0, listen(descriptor, 64) == 0 else {
            throw TestServerError("cannot listen on \(path): \(String(cString: strerror(errno)))")
        }
    }

    /// Answers a client's login, as far as its PING, as a Redis without scripts would.
    public func answerLogin() {
        while let command = readCommand() {
            write(command == ["PING"] ? "+PONG\r\n" : "+OK\r\n")
            if command == ["PING"] { return }
        }
    }
}
