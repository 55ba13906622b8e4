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

/// With a label for what it is for.
extension Client: Measured {
    public static let measures: [Measure<Client>] = [
        Measure(
            .gauge, "usher_redis_connected", labels: ["client"],
            "Connections to Redis that can take commands, by what they are for; one an event loop, unless it is a Cluster."
        ) { $0.isConnected ? 1 : 0 },
        Measure(
            .counter, "usher_redis_commands_total", labels: ["client"], "Commands that were sent to Redis."
        ) { $0.metrics.commands },
        Measure(
            .counter, "usher_redis_errors_total", labels: ["client"], by: ["kind"],
            "Calls without a reply to use: not_connected and overloaded were not sent; connection_lost and deadline_passed may "
                + "have run; refused are error replies; not_replicated are on too few replicas."
        ) { client in
            ClientMetrics.Failure.allCases.map { ([$0.rawValue], client.metrics.failures[$0] ?? 0) }
        },
        Measure(
            .counter, "usher_redis_reconnections_total", labels: ["client"], "Connections to Redis that were made anew."
        ) { $0.metrics.reconnections },
        Measure(
            histogram: "usher_redis_call_duration_seconds", labels: ["client"],
            "From a call, of one or several commands, to its last reply. Not of reads that block."
        ) { $0.isForBlockingReads ? [] : [([], $0.metrics.calls)] },
    ]
}
