import EventLoop

/// The commands of one call to a cluster, and what has been answered.
final class ClusterCall {
    /// One of the commands, on its way.
    struct Part {
        let index: Int
        /// The node that a moving slot's key is already at.
        var askedOf: NodeAddress?
    }

    let commands: [Command]
    let areDependent: Bool
    /// See `Batch.isChange`: asked of the last reply of each node.
    let isChange: ((Value) -> Bool)?
    let deadline: MonotonicTime
    /// Nodes that have not answered in this round.
    var openGroups = 0
    /// How often something was sent again.
    var rounds = 0
    private(set) var failure: RedisError?
    private var replies: [Value?]
    private var redirected: [(index: Int, Redirection)] = []
    private let completion: (Result<[Value], RedisError>) -> Void

    init(
        _ commands: [Command], areDependent: Bool, isChange: ((Value) -> Bool)?, deadline: MonotonicTime,
        completion: @escaping (Result<[Value], RedisError>) -> Void
    ) {
        self.commands = commands
        self.areDependent = areDependent
        self.isChange = isChange
        self.deadline = deadline
        self.completion = completion
        replies = Array(repeating: nil, count: commands.count)
    }

    /// The commands of these parts as they are sent.
    func written(_ parts: [Part]) -> [Command] {
        parts.flatMap { $0.askedOf == nil ? [commands[$0.index]] : [Command("ASKING"), commands[$0.index]] }
    }

    /// - Parameter result: of what `written` returned.
    func take(_ result: Result<[Value], RedisError>, to parts: [Part], from address: NodeAddress) {
        openGroups -= 1
        switch result {
        case .failure(let error):
            // The worse news wins: that something may have run.
            if failure.map({ !$0.mayHaveRun }) ?? true { failure = error }
        case .success(let values):
            var values = values[...]
            for part in parts {
                if part.askedOf != nil { values.removeFirst() }
                let value = values.removeFirst()
                replies[part.index] = value
                if case .error(let text) = value, let redirection = Redirection(text, from: address.host) {
                    redirected.append((part.index, redirection))
                }
            }
        }
    }

    /// What is to be sent again after this round, in order: nothing of dependent commands once a later one has run.
    func takeRedirected() -> [(index: Int, Redirection)] {
        defer { redirected = [] }
        rounds += 1
        redirected.sort { $0.index < $1.index }
        if areDependent, let first = redirected.first, first.index != commands.count - redirected.count { return [] }
        return redirected
    }

    /// Some parts could not be sent (again): a command that a node refused to run is answered with its refusal.
    func couldNotSend(_ parts: [Part]) {
        if parts.contains(where: { replies[$0.index] == nil }) { failure = .notConnected }
        finish()
    }

    func finish() {
        // Not sent is told only of what was not sent as a whole.
        if let failure {
            let hasRun = replies.contains { $0 != nil }
            return completion(.failure(hasRun && !failure.mayHaveRun ? .connectionLost : failure))
        }
        completion(.success(replies.map { $0! }))
    }
}
