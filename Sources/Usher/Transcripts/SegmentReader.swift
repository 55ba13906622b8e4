import EventLoop
import Log
import Redis

/// Reads the stream that bots write their segments to, as one consumer of a group that all nodes share: each entry is
/// taken in by some node, is acknowledged and removed only once it is stored, and is taken over by another node if the
/// one that read it dies. Taking one in twice changes nothing.
public final class SegmentReader: Sendable {
    private static let group = "usher"
    private static let batch = 100
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
            case payload(String)
            case noPayload
            /// It was removed while it was pending: it had been taken in.
            case gone
        }
    }

    /// Reads until the task is cancelled.
    public func run() async {
        var isGroupKnown = false
        var nextTakeover = MonotonicTime(nanoseconds: 0)
        // After a failure this consumer's own entries are read again, before new ones.
        var readsPending = true
        while !Task.isCancelled {
            do {
                if !isGroupKnown {
                    try await createGroup()
                    isGroupKnown = true
                }
                if nextTakeover <= .now() {
                    try await takeOver()
                    nextTakeover = .now().advanced(byMilliseconds: takeoverMilliseconds / 3)
                }
                let entries = try await read(pending: readsPending)
                readsPending = readsPending && !entries.isEmpty
                try await takeIn(entries)
            } catch {
                // The group goes with the data if Redis is emptied.
                isGroupKnown = false
                readsPending = true
                if Task.isCancelled { return }
                if error != .notConnected {
                    logger.warning("Segments wait in their stream", ["reason": "\(error)"])
                }
                await client.loop.wait(milliseconds: Self.pauseAfterFailureMilliseconds)
            }
        }
    }

    // MARK: Reading

    private var soon: MonotonicTime { MonotonicTime.now().advanced(byMilliseconds: 5_000) }

    private func createGroup() async throws(RedisError) {
        do {
            _ = try await client.send(
                Command("XGROUP", "CREATE", BotWire.segmentStream, Self.group, "0", "MKSTREAM"), deadline: soon)
        } catch .refused(let text) where text.hasPrefix("BUSYGROUP") {
            return
        }
    }

    private func read(pending: Bool) async throws(RedisError) -> [Entry] {
        let command = Command(
            "XREADGROUP", "GROUP", Self.group, consumer, "COUNT", String(Self.batch), "BLOCK",
            String(Self.blockMilliseconds), "STREAMS", BotWire.segmentStream, pending ? "0" : ">")
        let reply = try await client.send(
            command, deadline: MonotonicTime.now().advanced(byMilliseconds: Self.blockMilliseconds + 5_000))
        guard let stream = reply.array?.first?.array, stream.count == 2 else { return [] }
        return Self.entries(stream[1])
    }

    /// Takes over what nodes that are gone have left behind, and forgets them.
    private func takeOver() async throws(RedisError) {
        var cursor = "0-0"
        repeat {
            let reply = try await client.send(
                Command(
                    "XAUTOCLAIM", BotWire.segmentStream, Self.group, consumer, String(takeoverMilliseconds),
                    cursor, "COUNT", String(Self.batch)), deadline: soon
            ).arrayOrThrow()
            guard reply.count >= 2 else { throw .unexpectedReply("XAUTOCLAIM returned \(reply.count) parts") }
            try await takeIn(Self.entries(reply[1]))
            cursor = try reply[0].stringOrThrow()
        } while cursor != "0-0"
        _ = try await store.removeConsumers(
            of: BotWire.segmentStream, group: Self.group, idleForMilliseconds: Self.forgetMilliseconds, deadline: soon)
    }

    private static func entries(_ value: Value) -> [Entry] {
        (value.array ?? []).compactMap { entry in
            guard let parts = entry.array, parts.count == 2, let id = parts[0].string else { return nil }
            guard let fields = try? parts[1].hash() else { return Entry(id: id, content: .gone) }
            return Entry(id: id, content: fields["payload"].map { .payload($0) } ?? .noPayload)
        }
    }

    // MARK: Taking in

    /// All at once: their versions keep the order of several forms of one segment.
    private func takeIn(_ entries: [Entry]) async throws(RedisError) {
        guard !entries.isEmpty else { return }
        let failures = await withTaskGroup(of: RedisError?.self) { group in
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
            return await group.reduce(into: []) { failures, failure in failures += failure.map { [$0] } ?? [] }
        }
        if let failure = failures.first { throw failure }
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
        let payload: String
        switch entry.content {
        case .payload(let text): payload = text
        case .noPayload: return ["no field named payload"]
        case .gone: return []
        }
        let message: SegmentMessage
        do throws(SegmentMessage.Invalid) {
            message = try SegmentMessage(json: payload.utf8)
        } catch {
            return [error.reason]
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
        var payload = ""
        if case .payload(let text) = entry.content {
            payload = String(decoding: text.utf8.prefix(Self.deadLetterBytes), as: UTF8.self)
        }
        _ = try await store.pipeline(
            [
                Command(
                    "XADD", Keys.deadLetters, "MAXLEN", "~", String(Self.deadLetters), "*", "entry", entry.id, "reason",
                    String(reason.prefix(Self.reasonCharacters)), "payload", payload),
                Command("INCR", Keys.deadLetterCount),
            ], by: soon)
    }
}
