import CLinux
import Foundation
import Synchronization

/// Stands between clients and a Redis, and decides what becomes of one command of a name that comes by.
public final class Relay: Sendable {
    public enum Fate: Sendable {
        /// Redis never gets it, nor anything after it: the connection ends.
        case lost
        /// Redis runs it, and the connection ends with the reply.
        case replyLost
        /// It waits for `letPass`.
        case held
    }

    private static let marker = "end-of-replies"

    private enum State: Equatable {
        /// That many pass before the one.
        case waiting(Int)
        case met
        case passed
    }

    private let peer: FakePeer
    private let state: Shared

    public var path: String { peer.path }

    /// Whether the command has come by.
    public var hasMet: Bool { state.value.withLock { $0 == .met || $0 == .passed } }

    /// - Parameter passing: how many of the name pass before the one.
    public init(to server: RedisServer, at name: String, passing: Int = 0, _ fate: Fate) throws {
        let (state, redis) = (Shared(passing), server.socketPath)
        self.state = state
        peer = try FakePeer { client, _ in
            guard let server = try? BlockingSocket(path: redis) else { return }
            let isReplyLost = Mutex(false)
            Thread.detachNewThread {
                var kept: [UInt8] = []
                while let bytes = server.readSome() {
                    if isReplyLost.withLock({ $0 }) {
                        kept += bytes
                        // What was sent behind the command has run, and so has the command.
                        if String(decoding: kept, as: UTF8.self).contains(Self.marker) { break }
                    } else if !client.write(bytes: bytes) {
                        break
                    }
                }
                client.disconnect()
            }
            while let words = client.readCommand() {
                if words.first == name, state.isReached() {
                    if fate == .replyLost { isReplyLost.withLock { $0 = true } }
                    if fate == .lost { break }
                    while fate == .held, state.value.withLock({ $0 == .met }) { usleep(1_000) }
                }
                server.write("*\(words.count)\r\n" + words.map { "$\($0.utf8.count)\r\n\($0)\r\n" }.joined())
                if isReplyLost.withLock({ $0 }) { server.write("ECHO \(Self.marker)\r\n") }
            }
            server.disconnect()
        }
    }

    public func letPass() { state.value.withLock { if $0 == .met { $0 = .passed } } }

    deinit { letPass() }

    private final class Shared: Sendable {
        let value: Mutex<State>

        init(_ passing: Int) { value = Mutex(.waiting(passing)) }

        /// Counts one that comes by.
        /// - Returns: whether it is the one.
        func isReached() -> Bool {
            value.withLock { state in
                guard case .waiting(let passing) = state else { return false }
                state = passing == 0 ? .met : .waiting(passing - 1)
                return passing == 0
            }
        }
    }
}
