import Metrics

/// What a client counts, from its beginning on.
///
/// `@unchecked Sendable`: belongs to the thread of the client's loop, as the client does.
public final class ClientMetrics: @unchecked Sendable {
    /// Why commands had no reply to use: the cases of `RedisError`.
    public enum Failure: String, CaseIterable, Sendable {
        case notConnected = "not_connected"
        case overloaded
        case connectionLost = "connection_lost"
        case deadlinePassed = "deadline_passed"
        case refused
        case notReplicated = "not_replicated"
        case unexpectedReply = "unexpected_reply"

        init(_ error: RedisError) {
            self =
                switch error {
                case .notConnected: .notConnected
                case .overloaded: .overloaded
                case .connectionLost: .connectionLost
                case .deadlinePassed: .deadlinePassed
                case .refused: .refused
                case .notReplicated: .notReplicated
                case .unexpectedReply: .unexpectedReply
                }
        }
    }

    // One thread, and no callbacks while they change: to check each access for overlaps would cost more than to count.
    /// Commands that were handed over to be sent.
    @exclusivity(unchecked) public internal(set) var commands = 0
    /// From a call's handing over to its last reply.
    @exclusivity(unchecked) public internal(set) var calls = Histogram(.exchanges)
    /// Logins on a connection that had been lost.
    public internal(set) var reconnections = 0
    /// Calls that failed, and error replies.
    public private(set) var failures: [Failure: Int] = [:]

    func note(_ error: RedisError, times: Int = 1) {
        guard times > 0 else { return }
        failures[Failure(error), default: 0] += times
    }

    /// Counts an error reply, unless it is one that the client sees to, as a script that Redis does not know (yet).
    func noteErrorReply(_ text: String) {
        let expected = ["NOSCRIPT", "BUSYGROUP", "MOVED", "ASK", "ERR Error compiling script"]
        if !expected.contains(where: { text.hasPrefix($0) }) { failures[.refused, default: 0] += 1 }
    }
}
