import EventLoop
import Log
import Metrics
import Redis
import Usher

/// Moves transcripts to the archive and removes what was deleted from it, a few at a time. Every node does; there is no
/// leader, and a node that dies loses a lease (docs/architecture.md, "The archive").
///
/// `@unchecked Sendable`: belongs to the thread of its store's loop.
public final class Archiver: @unchecked Sendable {
    public enum Outcome: String, CaseIterable, Sendable {
        case moved, changed, failed
    }

    /// How long one round takes at most, so that the next looks at what is due anew.
    private static let roundMilliseconds = 10_000
    /// How long a meeting is left alone that cannot be moved by itself, as its record or the object before is spoilt.
    private static let oddMilliseconds = 600_000
    private static let removalPauseMilliseconds = 60_000
    private static let pauseRange = 500...1_000
    private static let longestPause = 30_000
    /// Of the lease, so that nothing is written when it may be another's.
    private static let workMilliseconds = 90_000

    private let store: Store
    private let archive: Archive
    private let logger: Logger
    /// What was done since the beginning.
    private var counts: [Outcome: Int] = [:]
    private var removals = 0
    /// Rounds that ended since the archive was away, one after the other.
    private var failures = 0
    /// Whether the archive could not be used when it was tried last.
    private var isAway: Bool { failures > 0 }
    private var isStopped = false

    /// - Parameter store: of the loop that this is called on.
    public init(store: Store, archive: Archive, logger: Logger) {
        self.store = store
        self.archive = archive
        self.logger = logger
    }

    /// Goes on until `stop`.
    public func run() async {
        while !isStopped {
            await round()
            await store.client.loop.wait(milliseconds: pause)
        }
    }

    /// Ends it, on the loop's thread. What is under way another node does again once its lease is over.
    public func stop() { isStopped = true }

    /// It varies, so that nodes do not fall into step, and grows while the archive is away.
    private var pause: Int {
        min(Int.random(in: Self.pauseRange) << failures, Self.longestPause)
    }

    /// One round over what is due.
    public func round() async {
        do {
            let end = MonotonicTime.now().advanced(byMilliseconds: Self.roundMilliseconds)
            var (wasUsed, fault) = try await removeDue(until: end)
            let due = place == nil ? [] : try await session.moves.due(after: afterMilliseconds)
            for (partition, id) in due {
                guard !isStopped, MonotonicTime.now() < end else { break }
                do {
                    if try await move(id, in: partition) { wasUsed = true }
                } catch let error as ArchiveFault {
                    fault = error
                    break
                }
            }
            if let fault {
                await noteAway(fault, wasUsed: wasUsed)
            } else if failures > 0, wasUsed {
                failures = 0
                try await session.moves.note(problem: nil)
                logger.info("The archive is there again")
            }
        } catch let error as RedisError {
            if error != .notConnected { logger.warning("The archive was left alone", ["reason": "\(error)"]) }
        } catch {
            logger.error("The archive was left alone", ["reason": "\(error)"])
        }
    }

    private var place: ArchivePlace? { archive.configuration.place }
    private var afterMilliseconds: Int { archive.configuration.afterMilliseconds }

    private var session: Session { store.session(milliseconds: 10_000) }

    /// - Parameter wasUsed: whether some of what was asked of it was done, so that there is more to do soon.
    private func noteAway(_ fault: ArchiveFault, wasUsed: Bool) async {
        // What was cut off then is no fault of the archive's.
        guard !isStopped else { return }
        if failures == 0 {
            logger.error(
                "The archive cannot be used: transcripts stay in Redis until it can", ["reason": fault.reason])
        }
        failures = wasUsed ? 1 : min(failures + 1, 10)
        try? await session.moves.note(problem: fault.reason)
    }

    // MARK: Removal

    private static let keptAtOnce = 100

    /// - Returns: whether any was removed from where it may be away, and why one was not: what waits to be moved does not wait
    ///   for it.
    private func removeDue(until end: MonotonicTime) async throws(RedisError) -> (wasUsed: Bool, fault: ArchiveFault?) {
        var kept = try await session.moves.keptRemovals()[...]
        while !kept.isEmpty, !isStopped, MonotonicTime.now() < end {
            let names = kept.prefix(Self.keptAtOnce)
            try await session.keptObjects.remove(names)
            removals += try await session.moves.removed(names)
            kept = kept.dropFirst(names.count)
        }
        guard archive.isElsewhere else { return (false, nil) }
        var wasUsed = false
        for name in try await session.moves.removals() {
            guard !isStopped, MonotonicTime.now() < end, let storage = archive.storage(of: name, for: session) else {
                break
            }
            do throws(ArchiveFault) {
                try await storage.remove(name)
            } catch {
                // Others have their turn before it, unless Redis is full.
                try? await session.moves.remove(name, afterMilliseconds: Self.removalPauseMilliseconds)
                return (wasUsed, error)
            }
            wasUsed = true
            removals += try await session.moves.removed([name])
        }
        return (wasUsed, nil)
    }

    // MARK: Moves

    /// - Returns: whether the archive was written.
    /// - Throws: `ArchiveFault.away`, or `RedisError` but for what is this meeting's alone.
    private func move(_ id: String, in partition: Partition) async throws -> Bool {
        do {
            let began = MonotonicTime.now()
            guard
                let move = try await session.moves.begin(
                    id, in: partition, after: afterMilliseconds, isKept: place == .redis)
            else { return false }
            let outcome = try await write(move, until: began.advanced(byMilliseconds: Self.workMilliseconds))
            counts[outcome, default: 0] += 1
            return true
        } catch ArchiveFault.away(let reason) {
            counts[.failed, default: 0] += 1
            // The lease ends by itself, and others that are due may be tried before it.
            throw ArchiveFault.away(reason)
        } catch ArchiveFault.redis(let error) {
            throw error
        } catch let fault as ArchiveFault {
            await leave(id, in: partition, fault.reason)
        } catch RedisError.unexpectedReply(let reason) {
            await leave(id, in: partition, reason)
        } catch RedisError.refused(let reason) where reason.contains("WRONGTYPE") || reason.hasPrefix("ERR ") {
            // A script that fails, or what another hand wrote.
            await leave(id, in: partition, reason)
        }
        return false
    }

    /// It cannot be moved, and the others can: it stays where it is.
    private func leave(_ id: String, in partition: Partition, _ reason: String) async {
        counts[.failed, default: 0] += 1
        logger.warning("A transcript cannot be moved to the archive", ["meeting_id": id, "reason": reason])
        // Where that fails it is tried with the next round.
        try? await session.moves.postpone(id, in: partition, milliseconds: Self.oddMilliseconds)
    }

    /// Writes what was said in a meeting, reads it back, and then has Redis let go of it.
    private func write(_ move: Moves.Move, until end: MonotonicTime) async throws -> Outcome {
        if let before = move.before, archive.storage(of: before, for: session) == nil {
            throw ArchiveFault.spoilt("what was said in it before is in an archive that this node was not given")
        }
        let (stored, bytes) = try await store.session(until: end).moves.segments(of: move)
        let packed = try await archive.disk.run { () throws(ArchiveFault) in
            let transcript = MovedTranscript(stored, sessions: move.sessions)
            guard let (bytes, count) = TranscriptObject.pack(transcript, move.name, number: move.number) else {
                throw .away("zlib has no memory")
            }
            return (transcript: transcript, bytes: bytes, unpackedBytes: count, sha256: Digest.sha256(bytes))
        }
        guard packed.unpackedBytes <= ArchivedObject.maximumUnpackedBytes else {
            throw ArchiveFault.spoilt("the transcript is larger than one may be")
        }
        guard !isStopped, MonotonicTime.now() < end else { throw ArchiveFault.away("it takes too long") }
        guard let storage = archive.storage(of: move.name, for: store.session(until: end)) else {
            throw ArchiveFault.away("this node was given none")
        }
        guard try await storage.write(packed.bytes, to: move.name) else { return .changed }
        // What a store says is not what it does.
        let written: [UInt8]
        do {
            written = try await storage.read(move.name, count: packed.bytes.count, until: end)
        } catch ArchiveFault.gone {
            throw ArchiveFault.away("it does not have what was just written")
        }
        guard written == packed.bytes else { throw ArchiveFault.away("it gives back other bytes than were written") }
        switch try await session.moves.letGo(
            move, packed.transcript, sha256: packed.sha256, packedBytes: packed.bytes.count,
            unpackedBytes: packed.unpackedBytes, bytes: bytes)
        {
        case .moved: return .moved
        case .changed: return .changed
        case .notYours:
            try await session.moves.remove(move.name, afterMilliseconds: 0)
            return .changed
        }
    }
}

extension Archiver: Measured {
    public static let measures: [Measure<Archiver>] = [
        Measure(
            .counter, "usher_archive_moves_total", by: ["outcome"],
            "Transcripts that this node was to move to the archive: `moved`; `changed`, since something came in meanwhile, so "
                + "that it is moved anew; or `failed`."
        ) { archiver in Outcome.allCases.map { ([$0.rawValue], archiver.counts[$0] ?? 0) } },
        Measure(
            .counter, "usher_archive_removals_total", "Objects of the archive that this node has removed."
        ) { $0.removals },
        Measure(
            .gauge, "usher_archive_away",
            "1 while this node cannot use the archive: transcripts stay in Redis until it can; else 0."
        ) { $0.isAway ? 1 : 0 },
    ]
}
