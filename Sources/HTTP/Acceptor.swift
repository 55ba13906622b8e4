import CLinux
import EventLoop
import Glibc

/// Takes connections from the kernel's queue while there is room for them. Belongs to its server's loop.
final class Acceptor: DescriptorHandler {
    private static let batch = 64

    /// Kept alive from `start` to `drain`, as a server that is told of connections must be.
    private let server: Server
    private let listener: Listener
    private var registration: Registration?
    /// Nobody is accepted until the budget or a timer says so.
    private var isPaused = false

    init(server: Server, listener: Listener) throws {
        self.server = server
        self.listener = listener
        registration = try server.loop.register(listener.descriptor, interest: .readable, handler: self)
    }

    func ready(_ readiness: Readiness) {
        for _ in 0..<Self.batch where !isPaused {
            guard acceptOne() else { return }
        }
    }

    /// Takes what the kernel has queued already, then stops for good. The socket closes with the acceptor.
    func finish() {
        for _ in 0..<server.configuration.backlog where !isPaused {
            guard acceptOne() else { break }
        }
        registration?.cancel()
        registration = nil
    }

    /// - Returns: whether there may be more.
    private func acceptOne() -> Bool {
        guard server.budget.acquire(orTell: server.resumption()) else {
            pause()
            server.warnNow("connection limit reached: new connections wait", ["limit": "\(server.budget.limit)"])
            return false
        }
        let flags = Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        var peer = sockaddr_storage()
        let descriptor = Self.accept(listener.descriptor, &peer, flags)
        if descriptor >= 0 {
            let peer = IPAddress(peer)
            guard server.budget.admit(peer) else {
                Glibc.close(descriptor)
                server.budget.release()
                server.warnNow("too many connections from one address: closed", ["address": peer.map { "\($0)" } ?? ""])
                return true
            }
            server.adopt(descriptor, from: peer)
            return true
        }
        let error = SystemError("accept4")
        server.budget.release()
        if error.code == EAGAIN { return false }
        // Else the connection that was to be accepted has failed already (accept(2), "Error handling").
        guard error.mayPass else { return true }
        pause()
        // The queue stays readable, so without a pause the loop would spin until a descriptor is free.
        server.loop.schedule(afterMilliseconds: server.configuration.acceptPauseMilliseconds) { [weak self] in
            self?.resume()
        }
        server.warnNow("cannot accept connections: they wait", ["reason": error.reason])
        return false
    }

    private static func accept(_ descriptor: Int32, _ peer: inout sockaddr_storage, _ flags: Int32) -> Int32 {
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &peer) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { accept4(descriptor, $0, &length, flags) }
        }
    }

    private func pause() {
        isPaused = true
        registration?.update(interest: [])
    }

    func resume() {
        isPaused = false
        registration?.update(interest: .readable)
    }
}
