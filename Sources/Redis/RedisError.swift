/// Why a command has no reply to use. The difference that matters to a writer is whether it was sent.
public enum RedisError: Error, Equatable, Sendable {
    /// There is no connection at the moment; the command was not sent.
    case notConnected
    /// Too many commands wait for their replies; the command was not sent.
    case overloaded
    /// The connection was lost after the command was sent: it may or may not have run.
    case connectionLost
    /// No reply before the deadline: the command may or may not have run, or may run yet.
    case deadlinePassed
    /// Redis refused the command. The text is Redis' own, such as `OOM command not allowed ...`.
    case refused(String)
    /// The command has run, but in the time that was given the change did not reach as many replicas as it should: it
    /// may be lost if the primary fails now.
    case notReplicated(replicas: Int)
    /// A reply of another type than the command has: the key, or the script, is not ours.
    case unexpectedReply(String)

    /// Whether Redis refused the command since it is full (`maxmemory`), and so did not run it. Before 7.0 it wraps the error
    /// of a script.
    public var isOutOfMemory: Bool {
        if case .refused(let text) = self { text.hasPrefix("OOM ") || text.contains(" -OOM ") } else { false }
    }

    /// What a server says that takes no command, or no change, at the moment: it fails over, loads its data, runs a script
    /// for too long, has too few good replicas, or has handed a slot on, and that more often than a call follows it. It says
    /// so before it does anything.
    private static let refusalsForNow = [
        "ASK", "BUSY", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "MOVED", "NOREPLICAS", "READONLY", "TRYAGAIN",
    ]

    /// Whether the command was refused for the moment alone, and so did not run.
    public var isRefusedForNow: Bool {
        guard case .refused(let text) = self, let word = text.split(separator: " ").first else { return false }
        return Self.refusalsForNow.contains { word.elementsEqual($0) }
    }

    /// Whether Redis may have run the command. False means that trying again cannot do anything twice.
    public var mayHaveRun: Bool {
        switch self {
        case .notConnected, .overloaded: false
        case .connectionLost, .deadlinePassed, .refused, .notReplicated, .unexpectedReply: true
        }
    }
}

extension RedisError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notConnected: "not connected to Redis; the command was not sent"
        case .overloaded: "too many commands wait for Redis; the command was not sent"
        case .connectionLost: "the connection to Redis was lost; the command may have run"
        case .deadlinePassed: "no reply from Redis before the deadline; the command may have run"
        case .refused(let text): "Redis refused the command: \(text)"
        case .notReplicated(let replicas):
            "the change is on \(replicas) replicas, fewer than wanted; it is lost if the primary fails now"
        case .unexpectedReply(let text): "unexpected reply from Redis: \(text)"
        }
    }
}
