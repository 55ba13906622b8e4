import EventLoop
import Log
import Redis
import Scripts

/// Reads the stream that bots write their segments to, as one consumer of a group that all nodes share: each entry is
/// taken in by some node, is acknowledged and removed only once it is stored, and is taken over by another node if the
/// one that read it dies. Taking one in twice changes nothing.
///
/// What bots write may be of any size and form, so `read_segments` hands it out in bounded pieces, and no entry to a third
/// node once two have ended over it. A script cannot wait, and a read that waits has no bound but a number of entries; so
/// the stream is asked again and again.
public final class SegmentReader: Sendable {
    private static let group = "usher"
    private static let batch = 100
    private static let batchBytes = 262_144
    /// How many batches of leftovers come before new entries.
    private static let batchesOfLeftovers = 10
    private static let pauseMilliseconds = 50
    /// How many nodes may end over an entry.
    private static let attempts = 2
    private static let attemptsKeptMilliseconds = 86_400_000
    /// What is decoded in one turn of the loop, at least one entry.
    private static let bytesInOneTurn = 65_536
    /// How long a consumer that has nothing pending is remembered.
    private static let forgetMilliseconds = 3_600_000
    private static let deadLetters = 1_000
    private static let deadLetterBytes = 4_096
    private static let reasonBytes = 300
    private static let pauseAfterFailureMilliseconds = 500

    private let store: Store
    /// A connection of its own, since what it reads is large.
    private let client: Client
    private let consumer: String
    private let takeoverMilliseconds: Int
    private let logger: Logger

    /// - Parameters:
    ///   - client: on the store's loop, and used by nobody else.
    ///   - consumer: tells this node from the others.
    ///   - takeoverMilliseconds: how long an entry may be in the hands of a node before another one takes it over.
    public init(
        store: Store, client: Client, consumer: String, takeoverMilliseconds: Int = 10_000, logger: Logger
    ) {
        self.store = store
        self.client = client
        self.consumer = consumer
        self.takeoverMilliseconds = takeoverMilliseconds
        self.logger = logger
    }

    private struct Entry {
        let id: String
        let content: Content

        enum Content {
            case message(SegmentMessage, payload: String)
            case unusable(reason: String, payload: String)
            /// It was removed while it was pending: it had been taken in.
            case gone
        }

        var payload: String {
            switch content {
            case .message(_, let payload), .unusable(_, let payload): payload
            case .gone: ""
            }
        }

        var beginsSession: Bool {
            if case .message(let message, _) = content { message.content == .sessionStart } else { false }
        }
    }

    /// What this consumer has read and could not take in, or may have read before it was started anew.
    private struct Leftovers {
        /// When they are read again.
        var time = MonotonicTime(nanoseconds: 0)
        /// They have been gone through up to this one.
        var last = "0"
        /// Whether some of those could not be taken in once more.
        var haveFailed = false
    }

    /// Reads until the task is cancelled. What cannot be taken in yet, as where the part of a Cluster that has its
    /// meeting is away, waits and keeps nothing else waiting.
    public func run() async {
        var isGroupKnown = false
        var nextTakeover = MonotonicTime(nanoseconds: 0)
        var leftovers: Leftovers? = Leftovers()
        while !Task.isCancelled {
            do {
                if !isGroupKnown {
                    try await createGroup()
                    isGroupKnown = true
                }
                if nextTakeover <= .now() {
                    if try await takeOver() { leftovers = Leftovers() }
                    nextTakeover = .now().advanced(byMilliseconds: takeoverMilliseconds / 3)
                }
                if let present = leftovers, present.time <= .now() { leftovers = try await takeIn(present) }
                let entries = try await read(after: ">")
                if await !takeIn(entries), leftovers == nil { leftovers = Leftovers(time: afterFailure) }
                let isIdle = entries.isEmpty && leftovers.map { $0.time > .now() } ?? true
                if isIdle { await client.loop.wait(milliseconds: Self.pauseMilliseconds) }
            } catch {
                // The group goes with the data if Redis is emptied.
                isGroupKnown = false
                leftovers = Leftovers()
                if Task.isCancelled { return }
                log(error)
                await client.loop.wait(milliseconds: Self.pauseAfterFailureMilliseconds)
            }
        }
    }

    private func log(_ error: RedisError) {
        if error != .notConnected { logger.warning("Segments wait in their stream", ["reason": "\(error)"]) }
    }

    // MARK: Reading

    private var soon: MonotonicTime { .now().advanced(byMilliseconds: 5_000) }
    private var session: Session { store.session(until: soon) }

    private var afterFailure: MonotonicTime {
        MonotonicTime.now().advanced(byMilliseconds: Self.pauseAfterFailureMilliseconds)
    }

    private func createGroup() async throws(RedisError) {
        try await session.makeGroup(Self.group, of: WireNames.segmentStream)
    }

    /// - Parameter id: what this consumer has read already and not acknowledged, after this one; `>` for what is new.
    private func read(after id: String) async throws(RedisError) -> [Entry] {
        let answers = try await client.run(
            Scripts.ReadSegments(
                streamKey: WireNames.segmentStream, attemptsKey: Keys.segmentAttempts, group: Self.group,
                node: consumer, after: id, maxEntries: Self.batch, maxBytes: Self.batchBytes,
                maxPayloadBytes: SegmentMessage.maximumBytes, prefixBytes: Self.deadLetterBytes,
                maxOthers: Self.attempts, keepMilliseconds: Self.attemptsKeptMilliseconds),
            deadline: soon
        ).reply
        if answers.isEmpty { return [] }
        var entries: [Entry] = []
        var bytes = 0
        for answer in answers {
            let parts = try answer.arrayOrThrow()
            entries.append(try Self.entry(parts))
            bytes += parts.count > 2 ? parts[2].string?.utf8.count ?? 0 : 0
            if bytes > Self.bytesInOneTurn {
                bytes = 0
                await Task.yield()
            }
        }
        // This node has not ended over them, whatever becomes of it.
        _ = try await client.send(
            Command(words: ["HDEL", Keys.segmentAttempts] + entries.map(\.id)), deadline: soon)
        return entries
    }

    private static func entry(_ parts: [Value]) throws(RedisError) -> Entry {
        guard parts.count >= 2, let id = parts[0].string, let verdict = parts[1].string else {
            throw .unexpectedReply("read_segments returned \(parts.count) parts of an entry")
        }
        guard parts.count == 4, let payload = parts[2].string, let bytes = parts[3].integer else {
            return Entry(
                id: id, content: verdict == "gone" ? .gone : .unusable(reason: "no field named payload", payload: ""))
        }
        switch verdict {
        case "long":
            let reason = "must have at most \(SegmentMessage.maximumBytes) bytes, and has \(bytes)"
            return Entry(id: id, content: .unusable(reason: reason, payload: payload))
        case "tried":
            return Entry(
                id: id, content: .unusable(reason: "\(attempts) nodes ended while they read it", payload: payload))
        default: return Entry(id: id, content: content(payload))
        }
    }

    private static func content(_ payload: String) -> Entry.Content {
        do throws(SegmentMessage.Invalid) {
            return .message(try SegmentMessage(json: payload.utf8), payload: payload)
        } catch {
            return .unusable(reason: error.reason, payload: payload)
        }
    }

    /// Takes over what nodes that are gone have left behind, and forgets them.
    /// - Returns: whether there was something: it is then among what this consumer has not acknowledged.
    private func takeOver() async throws(RedisError) -> Bool {
        try await session.boundIdle(of: WireNames.segmentStream, group: Self.group)
        var cursor = "0-0"
        var count = 0
        repeat {
            let reply = try await client.send(
                Command(
                    "XAUTOCLAIM", WireNames.segmentStream, Self.group, consumer, String(takeoverMilliseconds),
                    cursor, "COUNT", String(Self.batch), "JUSTID"), deadline: soon
            ).arrayOrThrow()
            guard reply.count >= 2 else { throw .unexpectedReply("XAUTOCLAIM returned \(reply.count) parts") }
            count += try reply[1].arrayOrThrow().count
            cursor = try reply[0].stringOrThrow()
        } while cursor != "0-0"
        _ = try await session.removeConsumers(
            of: WireNames.segmentStream, group: Self.group, idleForMilliseconds: Self.forgetMilliseconds)
        return count > 0
    }

    // MARK: Taking in

    /// Goes on with what is left over.
    /// - Returns: what is left over then.
    private func takeIn(_ leftovers: Leftovers) async throws(RedisError) -> Leftovers? {
        var leftovers = leftovers
        for _ in 0..<Self.batchesOfLeftovers {
            let entries = try await read(after: leftovers.last)
            guard let last = entries.last else {
                return leftovers.haveFailed ? Leftovers(time: afterFailure) : nil
            }
            leftovers.last = last.id
            if await !takeIn(entries) { leftovers.haveFailed = true }
        }
        // New entries get their turn; and many that fail again are not to keep the loop busy.
        leftovers.time = leftovers.haveFailed ? afterFailure : .now()
        return leftovers
    }

    /// All at once, since their versions keep the order of several forms of one segment; but a session begins before
    /// anything is said in it.
    /// - Returns: false if some have to wait.
    private func takeIn(_ entries: [Entry]) async -> Bool {
        let starts = await failure(of: entries.filter(\.beginsSession))
        let others = await failure(of: entries.filter { !$0.beginsSession })
        guard let failure = starts ?? others else { return true }
        log(failure)
        return false
    }

    /// Takes entries in, all at once.
    private func failure(of entries: [Entry]) async -> RedisError? {
        await atOnce(entries) { [self] entry throws(RedisError) in try await takeIn(entry) }.failures.first
    }

    private func takeIn(_ entry: Entry) async throws(RedisError) {
        if let reason = Self.summary(of: try await problems(with: entry)) { try await bury(entry, reason) }
        // Removed first: should the rest fail, the entry comes again as one that is gone.
        _ = try await session.pipeline([
            Command("XDEL", WireNames.segmentStream, entry.id),
            Command("XACK", WireNames.segmentStream, Self.group, entry.id),
        ])
    }

    /// One letter an entry: a message may have a thousand faults.
    private static func summary(of problems: [String]) -> String? {
        guard let first = problems.first else { return nil }
        return problems.count == 1 ? first : "\(first) (and \(problems.count - 1) more)"
    }

    /// Stores what an entry says.
    /// - Returns: why it, or parts of it, cannot be used.
    private func problems(with entry: Entry) async throws(RedisError) -> [String] {
        let message: SegmentMessage
        switch entry.content {
        case .message(let content, _): message = content
        case .unusable(let reason, _): return [reason]
        case .gone: return []
        }
        // The end of a session names no meeting, and its bot reports it too.
        if message.content == .sessionEnd { return [] }
        guard let number = message.meetingNumber else { return ["meeting_id is missing"] }
        do throws(RedisError) {
            guard let (workspace, meeting) = try await session.transcripts.locate(number: number) else {
                return ["unknown meeting \(number)"]
            }
            let outcome = try await session.transcripts.ingest(
                message, meeting: meeting, workspace: workspace, version: entry.id)
            return Self.problem(outcome, number: number).map { [$0] } ?? message.faults.map(\.reason)
        } catch .refused(let text) where text.contains("WRONGTYPE") {
            // Another hand's doing, which waiting does not mend: all other meetings' segments would wait behind it.
            return ["the records of meeting \(number) have another type"]
        }
    }

    private static func problem(_ outcome: Ingestion, number: Int) -> String? {
        switch outcome {
        case .stored: nil
        case .unknownMeeting: "meeting \(number) has no bot, or not this session"
        // What is too much for one step is taken in several.
        case .full, .tooMuch:
            "meeting \(number) has \(Transcripts.maximumSegmentsOfMeeting) segments or \(Transcripts.maximumBytesOfMeeting) bytes"
        case .workspaceFull: "the workspace of meeting \(number) has as many bytes as it may have"
        case .notByStream: "meeting \(number) has no bot that was told to write here, or its end is long ago"
        // Nor is it kept where it was not asked for.
        case .deleted: nil
        }
    }

    /// Keeps what cannot be used, with the reason, where an operator finds it.
    private func bury(_ entry: Entry, _ reason: String) async throws(RedisError) {
        logger.warning("A bot wrote what cannot be used", ["entry": entry.id, "reason": reason])
        let payload = String(decoding: entry.payload.utf8.prefix(Self.deadLetterBytes), as: UTF8.self)
        _ = try await session.pipeline([
            Command(
                "XADD", Keys.deadLetters, "MAXLEN", "~", String(Self.deadLetters), "*", "entry", entry.id, "reason",
                String(decoding: reason.utf8.prefix(Self.reasonBytes), as: UTF8.self), "payload", payload),
            Command("INCR", Keys.deadLetterCount),
        ])
        store.metrics.deadLetters += 1
    }
}
