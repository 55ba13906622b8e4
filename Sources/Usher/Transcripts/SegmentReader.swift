import EventLoop
import Log
import Redis

/// Reads the stream that bots write their segments to, as one consumer of a group that all nodes share: each entry is
/// taken in by some node, is acknowledged and removed only once it is stored, and is taken over by another node if the
/// one that read it dies. Taking one in twice changes nothing.
public final class SegmentReader: Sendable {
    private static let group = "usher"
    private static let batch = 100
    /// How many batches of leftovers come before new entries.
    private static let batchesOfLeftovers = 10
    private static let blockMilliseconds = 5_000
    /// How long a consumer that has nothing pending is remembered.
    private static let forgetMilliseconds = 3_600_000
    private static let deadLetters = 1_000
    private static let deadLetterBytes = 4_096
    private static let reasonCharacters = 300
    private static let pauseAfterFailureMilliseconds = 500

    private let store: Store
    /// A connection of its own, since its reads block.
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
                var haveFailed = false
                if nextTakeover <= .now() {
                    haveFailed = try await !takeOver()
                    nextTakeover = .now().advanced(byMilliseconds: takeoverMilliseconds / 3)
                }
                if let present = leftovers, present.time <= .now() { leftovers = try await takeIn(present) }
                if try await !takeIn(readNew(until: leftovers?.time)) { haveFailed = true }
                if haveFailed, leftovers == nil { leftovers = Leftovers(time: afterFailure) }
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

    private var soon: MonotonicTime { MonotonicTime.now().advanced(byMilliseconds: 5_000) }

    private var afterFailure: MonotonicTime {
        MonotonicTime.now().advanced(byMilliseconds: Self.pauseAfterFailureMilliseconds)
    }

    private func createGroup() async throws(RedisError) {
        try await store.makeGroup(Self.group, of: BotWire.segmentStream, deadline: soon)
    }

    /// Waits for new entries, but no longer than until `time`.
    private func readNew(until time: MonotonicTime?) async throws(RedisError) -> [Entry] {
        let remaining = time.map { max(1, $0.milliseconds(since: .now())) } ?? Self.blockMilliseconds
        return try await read(after: ">", blockMilliseconds: min(remaining, Self.blockMilliseconds))
    }

    /// - Parameter id: what this consumer has read already and not acknowledged, after this one; `>` for what is new.
    private func read(after id: String, blockMilliseconds: Int = 1) async throws(RedisError) -> [Entry] {
        let command = Command(
            "XREADGROUP", "GROUP", Self.group, consumer, "COUNT", String(Self.batch), "BLOCK",
            String(blockMilliseconds), "STREAMS", BotWire.segmentStream, id)
        let reply = try await client.send(
            command, deadline: MonotonicTime.now().advanced(byMilliseconds: blockMilliseconds + 5_000))
        guard let stream = reply.array?.first?.array, stream.count == 2 else { return [] }
        return Self.entries(stream[1])
    }

    /// Takes over what nodes that are gone have left behind, and forgets them.
    /// - Returns: false if some of it has to wait.
    private func takeOver() async throws(RedisError) -> Bool {
        try await store.boundIdle(of: BotWire.segmentStream, group: Self.group, deadline: soon)
        var cursor = "0-0"
        var haveFailed = false
        repeat {
            let reply = try await client.send(
                Command(
                    "XAUTOCLAIM", BotWire.segmentStream, Self.group, consumer, String(takeoverMilliseconds),
                    cursor, "COUNT", String(Self.batch)), deadline: soon
            ).arrayOrThrow()
            guard reply.count >= 2 else { throw .unexpectedReply("XAUTOCLAIM returned \(reply.count) parts") }
            if await !takeIn(Self.entries(reply[1])) { haveFailed = true }
            cursor = try reply[0].stringOrThrow()
        } while cursor != "0-0"
        _ = try await store.removeConsumers(
            of: BotWire.segmentStream, group: Self.group, idleForMilliseconds: Self.forgetMilliseconds, deadline: soon)
        return !haveFailed
    }

    private static func entries(_ value: Value) -> [Entry] {
        (value.array ?? []).compactMap { entry in
            guard let parts = entry.array, parts.count == 2, let id = parts[0].string else { return nil }
            guard let fields = try? parts[1].hash() else { return Entry(id: id, content: .gone) }
            return Entry(id: id, content: content(fields["payload"]))
        }
    }

    private static func content(_ payload: String?) -> Entry.Content {
        guard let payload else { return .unusable(reason: "no field named payload", payload: "") }
        do throws(SegmentMessage.Invalid) {
            return .message(try SegmentMessage(json: payload.utf8), payload: payload)
        } catch {
            return .unusable(reason: error.reason, payload: payload)
        }
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
        guard !entries.isEmpty else { return nil }
        return await withTaskGroup(of: RedisError?.self) { group in
            for entry in entries {
                group.addTask { [self] in
                    do throws(RedisError) {
                        try await takeIn(entry)
                        return nil
                    } catch {
                        return error
                    }
                }
            }
            return await group.reduce(nil) { $0 ?? $1 }
        }
    }

    private func takeIn(_ entry: Entry) async throws(RedisError) {
        for reason in try await problems(with: entry) { try await bury(entry, reason) }
        // Removed first: should the rest fail, the entry comes again as one that is gone.
        _ = try await store.pipeline(
            [
                Command("XDEL", BotWire.segmentStream, entry.id),
                Command("XACK", BotWire.segmentStream, Self.group, entry.id),
            ], by: soon)
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
            guard let (workspace, meeting) = try await store.locate(number: number, deadline: soon) else {
                return ["unknown meeting \(number)"]
            }
            let outcome = try await store.ingest(
                message, meeting: meeting, workspace: workspace, version: entry.id, deadline: soon)
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
        case .full: "meeting \(number) has \(Store.maximumSegmentsOfMeeting) segments already"
        // Nor is it kept where it was not asked for.
        case .deleted: nil
        }
    }

    /// Keeps what cannot be used, with the reason, where an operator finds it.
    private func bury(_ entry: Entry, _ reason: String) async throws(RedisError) {
        logger.warning("A bot wrote what cannot be used", ["entry": entry.id, "reason": reason])
        let payload = String(decoding: entry.payload.utf8.prefix(Self.deadLetterBytes), as: UTF8.self)
        _ = try await store.pipeline(
            [
                Command(
                    "XADD", Keys.deadLetters, "MAXLEN", "~", String(Self.deadLetters), "*", "entry", entry.id, "reason",
                    String(reason.prefix(Self.reasonCharacters)), "payload", payload),
                Command("INCR", Keys.deadLetterCount),
            ], by: soon)
    }
}
