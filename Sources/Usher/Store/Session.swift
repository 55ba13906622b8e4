import EventLoop
import Redis
import Scripts

/// What a request or a task asks of a store, all of it by one deadline; no single command takes longer than the configured
/// bound. What the domain does is reached by it: `session.meetings`, `session.bots` and so on, each in a folder of its own.
///
/// All of them throw `RedisError`, which tells whether a change may have been made.
public struct Session: Sendable {
    public let store: Store
    public let deadline: MonotonicTime

    var configuration: StoreConfiguration { store.configuration }
    var oddRecords: OddRecords { store.oddRecords }
    var largeReads: LargeReads { store.largeReads }

    func send(_ command: Command) async throws(RedisError) -> Value {
        try await store.client.send(command, deadline: bound)
    }

    /// The replies, none of which is an error.
    func pipeline(_ commands: [Command]) async throws(RedisError) -> [Value] {
        let replies = try await replies(to: commands)
        for case .error(let text) in replies { throw .refused(text) }
        return replies
    }

    /// The replies, with those that are errors as values among them.
    func replies(to commands: [Command]) async throws(RedisError) -> [Value] {
        try await store.client.pipeline(commands, deadline: bound)
    }

    /// What each partition answers to a question of its own, an error as a value. Those of a Cluster whose node is away are
    /// left out, as the others go on meanwhile.
    /// - Throws: a failure if none answers.
    func repliesOfPartitions(
        _ question: (Partition) -> Command
    ) async throws(RedisError) -> [(partition: Partition, reply: Value)] {
        let questions = Partition.all.map { ($0, question($0)) }
        do throws(RedisError) {
            return Array(zip(Partition.all, try await replies(to: questions.map(\.1))))
        } catch {
            guard store.client.isOfCluster else { throw error }
        }
        let answers = await withTaskGroup(of: (Partition, Result<Value, RedisError>).self) { group in
            for (partition, command) in questions {
                group.addTask {
                    do throws(RedisError) {
                        return (partition, .success(try await replies(to: [command])[0]))
                    } catch {
                        return (partition, .failure(error))
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        let found = answers.compactMap { partition, answer in (try? answer.get()).map { (partition, $0) } }
        if found.isEmpty { for (_, answer) in answers { _ = try answer.get() } }
        return found.sorted { $0.0.number < $1.0.number }
    }

    /// As `pipeline`, of changes that wait for replicas, each for those of its own primary.
    func change(_ commands: [Command]) async throws(RedisError) -> [Value] {
        let replies = try await store.changing.change(commands, deadline: bound)
        for case .error(let text) in replies { throw .refused(text) }
        return replies
    }

    /// Runs a script. One that may tell of a change waits for replicas, if there are any to wait for.
    func run<Call: ScriptCall>(_ call: Call) async throws(RedisError) -> Call.Reply {
        try await run(call, after: nil).reply
    }

    /// The same, with a command sent before the script in the same write.
    func run<Call: ScriptCall>(
        _ call: Call, after preceding: Command?
    ) async throws(RedisError) -> (preceding: Value, reply: Call.Reply) {
        let client = Call.isChange == nil ? store.client : store.changing
        return try await client.run(call, after: preceding, deadline: bound)
    }

    /// The time by Redis' clock, in milliseconds since 1970: a node's own may be off.
    public func time() async throws(RedisError) -> Int { try await send(Command("TIME")).millisecondsOrThrow() }

    /// Shortens a key's life to so much if it has more, since the clock was set back after it was made: it would be there
    /// until the clock has caught up.
    func boundLife(of key: String, milliseconds longest: Int) async throws(RedisError) {
        guard let left = try await send(Command("PTTL", key)).integer, left > longest else { return }
        _ = try await send(Command("PEXPIRE", key, String(longest)))
    }

    /// Asks Redis for a sign of life, on each connection that requests are served by. Of a Cluster, one node is asked.
    public func ping() async throws(RedisError) {
        _ = try await send(Command("PING"))
        if store.changing !== store.client { _ = try await store.changing.send(Command("PING"), deadline: bound) }
    }

    /// One that goes on for at least so much time from now on.
    func atLeast(milliseconds: Int) -> Session {
        store.session(until: max(deadline, .now().advanced(byMilliseconds: milliseconds)))
    }

    private var bound: MonotonicTime {
        min(deadline, store.client.loop.now.advanced(byMilliseconds: configuration.redisTimeoutMilliseconds))
    }
}

extension Value {
    /// What TIME returned, in milliseconds since 1970.
    func millisecondsOrThrow() throws(RedisError) -> Int {
        let parts = try arrayOrThrow()
        guard parts.count == 2, let seconds = parts[0].string.flatMap({ Int($0) }),
            let microseconds = parts[1].string.flatMap({ Int($0) })
        else { throw .unexpectedReply("TIME returned \(parts)") }
        return seconds.multipliedClamped(by: 1_000).addingClamped(microseconds / 1_000)
    }
}

extension [String: String] {
    /// The fields of a record as scripts take them, each followed by its value.
    var inOrder: [String] { sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] } }
}
