import EventLoop
import Log
import Redis
import Usher

/// Reads dispatches from the streams of some partitions, for one consumer of the group `runners`: new ones, its own whose
/// answer was lost, and those that a dead runner has left. Never keeps more than it was asked for. Belongs to its loop's
/// thread.
final class DispatchReader {
    static let group = Bots.runnerGroup
    /// The consumer that entries are given back to: nobody reads for it, so whoever has a place takes them over.
    static let returned = "returned"
    /// The idle time of such an entry, longer than any lease, so that it is taken over at the next look.
    private static let returnedIdleMilliseconds = 3_600_000
    /// After how long a partition is looked at again whose key another hand has spoilt.
    private static let oddMilliseconds = 10_000

    /// On this connection reads block.
    private let blocking: Client
    private let client: Client
    private let store: Store
    private let all: [Partition]
    /// Those whose streams can be read: one that is something else fails a read of all.
    private var partitions: [Partition]
    private let runnerID: String
    private let logger: Logger
    private let blockMilliseconds: Int
    private let timeoutMilliseconds: Int
    private let takeoverIdleMilliseconds: Int
    private var hasGroups = false
    private var nextLookAtOdd = MonotonicTime(nanoseconds: 0)
    private var hasLostAnswer = true
    private var nextTakeover = MonotonicTime(nanoseconds: 0)
    /// The index of the partition whose turn it is.
    private var turn: Int

    /// - Parameter partitions: at least one; of more than one only if one read may take the streams of all.
    init(
        blocking: Client, store: Store, partitions: [Partition], runnerID: String, configuration: RunnerConfiguration,
        logger: Logger
    ) {
        self.blocking = blocking
        client = store.client
        self.store = store
        all = partitions
        self.partitions = partitions
        self.runnerID = runnerID
        self.logger = logger
        blockMilliseconds = configuration.blockMilliseconds
        timeoutMilliseconds = configuration.redisTimeoutMilliseconds
        takeoverIdleMilliseconds = configuration.leaseTimeToLiveMilliseconds
        turn = Int.random(in: 0..<partitions.count)
    }

    /// Waits for dispatches, for about as long as one blocking read.
    /// - Parameters:
    ///   - count: the most that are wanted, at least 1.
    ///   - isKnown: whether the runner has this very entry already.
    func read(upTo count: Int, isKnown: (DispatchEntry) -> Bool) async throws(RedisError) -> [DispatchEntry] {
        do throws(RedisError) {
            let isOneOdd = partitions.count < all.count
            if !hasGroups || isOneOdd && nextLookAtOdd <= client.loop.now { try await makeGroups() }
            let late = try await readLate(upTo: count, isKnown: isKnown)
            if !late.isEmpty { return late }
            return try await keep(count, of: try await readNew(upTo: count), isKnown: isKnown)
        } catch {
            // Redis may have given out entries that never arrived; or it has lost streams and groups.
            hasLostAnswer = true
            if case .refused = error { hasGroups = false }
            throw error
        }
    }

    /// A claim was given up: its entry is still this consumer's.
    func readOwnAgain() {
        hasLostAnswer = true
    }

    /// Gives back what this consumer was given and nobody claimed.
    func giveBackAll(isKnown: (DispatchEntry) -> Bool) async throws(RedisError) {
        try await giveBack(try await readOwn().filter { !isKnown($0) })
    }

    // MARK: Reading

    private func readNew(upTo count: Int) async throws(RedisError) -> [DispatchEntry] {
        let partitions = nextTurn()
        // A count goes for each stream, so a single read over all of them is exact only if each may give its share.
        if count >= partitions.count {
            return try await readGroup(partitions, count: count / partitions.count, blocks: true)
        }
        var entries: [DispatchEntry] = []
        for partition in partitions {
            // One of each, so that a crowd in one partition does not take the places of the others.
            entries += try await readGroup([partition], count: 1, blocks: false)
            if entries.count == count { return entries }
        }
        if !entries.isEmpty { return entries }
        // A read that blocks is woken by one stream and gets one entry of it. Only in the moment between the reads
        // above and this one can several streams have become readable: what is too much then is given back.
        return try await readGroup(partitions, count: 1, blocks: true)
    }

    /// What waits for somebody to see to it, if it is time to look.
    private func readLate(
        upTo count: Int, isKnown: (DispatchEntry) -> Bool
    ) async throws(RedisError) -> [DispatchEntry] {
        if hasLostAnswer {
            let own = try await readOwn()
            hasLostAnswer = false
            let kept = try await keep(count, of: own, isKnown: isKnown)
            if !kept.isEmpty { return kept }
        }
        guard nextTakeover <= client.loop.now else { return [] }
        nextTakeover = client.loop.now.advanced(byMilliseconds: min(1_000, takeoverIdleMilliseconds))
        let share = String(max(1, count / partitions.count))
        let partitions = nextTurn()
        let replies = try await pipeline(
            partitions.map {
                Command(
                    "XAUTOCLAIM", $0.dispatch, Self.group, runnerID, String(takeoverIdleMilliseconds), "0-0", "COUNT",
                    share)
            })
        var entries: [DispatchEntry] = []
        for (partition, reply) in zip(partitions, replies) {
            let parts = try reply.arrayOrThrow()
            guard parts.count >= 2 else { throw .unexpectedReply("XAUTOCLAIM returned \(parts.count) parts") }
            entries += try await sortOut(try parts[1].arrayOrThrow(), in: partition)
        }
        return try await keep(count, of: entries, isKnown: isKnown)
    }

    private func readOwn() async throws(RedisError) -> [DispatchEntry] {
        let replies = try await pipeline(
            partitions.map {
                Command("XREADGROUP", "GROUP", Self.group, runnerID, "COUNT", "1000", "STREAMS", $0.dispatch, "0")
            })
        var entries: [DispatchEntry] = []
        for (partition, reply) in zip(partitions, replies) {
            entries += try await self.entries(reply, from: [partition])
        }
        return entries
    }

    private func readGroup(
        _ partitions: [Partition], count: Int, blocks: Bool
    ) async throws(RedisError) -> [DispatchEntry] {
        var words = ["XREADGROUP", "GROUP", Self.group, runnerID, "COUNT", String(count)]
        if blocks { words += ["BLOCK", String(blockMilliseconds)] }
        words += ["STREAMS"] + partitions.map(\.dispatch) + partitions.map { _ in ">" }
        let wait = blocks ? blockMilliseconds + timeoutMilliseconds : timeoutMilliseconds
        let reply = try await (blocks ? blocking : client).send(
            Command(words: words), deadline: MonotonicTime.now().advanced(byMilliseconds: wait))
        return try await entries(reply, from: partitions)
    }

    /// - Parameter reply: what XREADGROUP returns.
    private func entries(_ reply: Value, from partitions: [Partition]) async throws(RedisError) -> [DispatchEntry] {
        if reply == .null { return [] }
        var entries: [DispatchEntry] = []
        for stream in try reply.arrayOrThrow() {
            let parts = try stream.arrayOrThrow()
            guard parts.count == 2, let partition = partitions.first(where: { $0.dispatch == parts[0].string }) else {
                throw .unexpectedReply("XREADGROUP returned another stream")
            }
            entries += try await sortOut(try parts[1].arrayOrThrow(), in: partition)
            turn = (self.partitions.firstIndex(of: partition)! + 1) % self.partitions.count
        }
        return entries
    }

    /// Entries that are none of ours, or were deleted while they were pending, would be pending for ever.
    private func sortOut(_ replies: [Value], in partition: Partition) async throws(RedisError) -> [DispatchEntry] {
        var entries: [DispatchEntry] = []
        for reply in replies {
            if let entry = DispatchEntry(reply), entry.place.partition == partition,
                Partition(bot: entry.place.botID) == partition
            {
                entries.append(entry)
            } else if let id = reply.array?.first?.string {
                let isDeleted = reply.array?.last == .null
                if !isDeleted { logger.warning("Removed an entry that is no dispatch", ["entry": id]) }
                _ = try await pipeline([
                    Command("XACK", partition.dispatch, Self.group, id), Command("XDEL", partition.dispatch, id),
                ])
            }
        }
        return entries
    }

    private func nextTurn() -> [Partition] {
        defer { turn = (turn + 1) % partitions.count }
        return Array(partitions[turn...] + partitions[..<turn])
    }

    // MARK: Giving back

    /// The entries that are wanted; the surplus goes to whoever has a place.
    private func keep(
        _ count: Int, of entries: [DispatchEntry], isKnown: (DispatchEntry) -> Bool
    ) async throws(RedisError) -> [DispatchEntry] {
        let wanted = entries.filter { !isKnown($0) }
        try await giveBack(Array(wanted.dropFirst(count)))
        return Array(wanted.prefix(count))
    }

    /// Gives back what there is no place for after all.
    func giveBack(_ entries: [DispatchEntry]) async throws(RedisError) {
        _ = try await pipeline(
            entries.map {
                Command(
                    "XCLAIM", $0.place.partition.dispatch, Self.group, Self.returned, "0", $0.id, "IDLE",
                    String(Self.returnedIdleMilliseconds), "JUSTID")
            })
    }

    private func makeGroups() async throws(RedisError) {
        var readable: [Partition] = []
        var problem: RedisError?
        for partition in all {
            do throws(RedisError) {
                try await store.session(milliseconds: timeoutMilliseconds).bots.makeGroup(of: partition)
                readable.append(partition)
            } catch {
                guard case .refused(let text) = error, text.contains("WRONGTYPE") else { throw error }
                problem = error
                logger.warning("No dispatch is read of a key that is no stream", ["key": partition.dispatch])
            }
        }
        if let problem, readable.isEmpty { throw problem }
        partitions = readable
        turn %= readable.count
        nextLookAtOdd = client.loop.now.advanced(byMilliseconds: Self.oddMilliseconds)
        hasGroups = true
    }

    /// The replies, none of which is an error.
    private func pipeline(_ commands: [Command]) async throws(RedisError) -> [Value] {
        if commands.isEmpty { return [] }
        let replies = try await client.pipeline(
            commands, deadline: MonotonicTime.now().advanced(byMilliseconds: timeoutMilliseconds))
        for case .error(let text) in replies { throw .refused(text) }
        return replies
    }
}
