import EventLoop
import HTTP
import Log
import Redis

/// Writes to the segment stream, or sends to a node, in order, for as long as it takes: an entry whose outcome is unknown
/// is written again, since segments are told apart by their ids. What waits is bounded; then the oldest goes.
///
/// `@unchecked Sendable`: belongs to its loop's thread, on which its tasks run too.
public final class TranscriptWriter: @unchecked Sendable {
    private static let maximumWaiting = 1_000
    private static let timeoutMilliseconds = 5_000
    private static let firstPauseMilliseconds = 100
    private static let longestPauseMilliseconds = 5_000
    /// How long a bot waits at its end for what is not taken: for longer than a failover of Redis takes, or for a moment.
    private static let patienceMilliseconds = 60_000
    private static let hurryMilliseconds = 2_000

    /// What came of sending an entry.
    private enum Outcome {
        case taken
        /// It never will be.
        case refused(String)
        /// It may be taken later.
        case late(String)
    }

    private struct Entry {
        let payload: String
        let acknowledged: (() -> Void)?
    }

    private let client: Client
    private let poster: Reporter?
    private let logger: Logger
    private var waiting: [Entry] = []
    private var isWriting = false
    private var isStopped = false
    /// Of those that have waited for too long, since one was taken last.
    private var droppedEntries = 0
    /// It is tried again without long pauses, as the bot is to end at once.
    private var isInHurry = false

    /// - Parameter poster: what sends entries to a node; nil: they go to the stream.
    public init(client: Client, poster: Reporter? = nil, logger: Logger) {
        self.client = client
        self.poster = poster
        self.logger = logger
    }

    /// Queues an entry of the stream: `XADD transcription_segments * payload <text>`.
    /// - Parameter acknowledged: called once it was answered that the entry is taken.
    public func append(_ payload: String, acknowledged: (() -> Void)? = nil) {
        if waiting.count == Self.maximumWaiting {
            waiting.removeFirst()
            if droppedEntries == 0 { logger.warning("Dropping transcript entries: nobody has taken any for long") }
            droppedEntries += 1
        }
        waiting.append(Entry(payload: payload, acknowledged: acknowledged))
        guard !isWriting else { return }
        isWriting = true
        Task(executorPreference: client.loop) { await self.write() }
    }

    /// Publishes at once, or not at all: a live view has no use for what is old.
    public func publish(_ message: String, channel: String) {
        guard client.isConnected else { return }
        Task(executorPreference: client.loop) { [client, deadline] in
            _ = try? await client.send(Command("PUBLISH", channel, message), deadline: deadline)
        }
    }

    /// Waits until all is written, but not for ever. To be called once: nothing is written after that.
    /// - Parameter isInHurry: whether the bot has been told to leave, and so has only a moment.
    public func flush(isInHurry: () -> Bool) async {
        var end = MonotonicTime.now().advanced(byMilliseconds: Self.patienceMilliseconds)
        while isWriting, MonotonicTime.now() < end {
            if isInHurry() {
                self.isInHurry = true
                end = min(end, .now().advanced(byMilliseconds: Self.hurryMilliseconds))
            }
            await client.loop.wait(milliseconds: 5)
        }
        isStopped = true
        if !waiting.isEmpty { logger.warning("Leaving with transcript entries that nobody took") }
    }

    private var deadline: MonotonicTime { .now().advanced(byMilliseconds: Self.timeoutMilliseconds) }

    private func write() async {
        var pause = Self.firstPauseMilliseconds
        var isTold = false
        while !isStopped, let entry = waiting.first {
            switch await send(entry.payload) {
            case .taken:
                removeFirst(entry)
                entry.acknowledged?()
                if isTold {
                    logger.info("Transcript entries are taken again", ["dropped": String(droppedEntries)])
                }
                pause = Self.firstPauseMilliseconds
                isTold = false
                droppedEntries = 0
            case .refused(let reason):
                removeFirst(entry)
                logger.warning("A transcript entry was refused", ["reason": reason])
            case .late(let reason):
                if !isTold {
                    logger.warning("Transcript entries are not taken; trying again", ["reason": reason])
                }
                isTold = true
                // A Redis that is back may load its data at first.
                let isBack = await rest(milliseconds: pause)
                pause = isBack ? Self.firstPauseMilliseconds : min(2 * pause, Self.longestPauseMilliseconds)
            }
        }
        isWriting = false
    }

    /// Waits before the next try. A Redis that is there again is asked at once.
    /// - Returns: whether that is why it has waited no longer.
    private func rest(milliseconds: Int) async -> Bool {
        let end = MonotonicTime.now().advanced(byMilliseconds: milliseconds)
        let wasAway = poster == nil && !client.isConnected
        repeat {
            await client.loop.wait(milliseconds: Self.firstPauseMilliseconds)
            if wasAway, client.isConnected { return true }
        } while .now() < end && !isInHurry
        return false
    }

    private func send(_ payload: String) async -> Outcome {
        if let poster { return await send(payload, to: poster) }
        do throws(RedisError) {
            _ = try await client.send(
                Command("XADD", "transcription_segments", "*", "payload", payload), deadline: deadline)
            return .taken
        } catch {
            // It is taken later where Redis, or its disk, is full.
            guard case .refused(let text) = error, !error.isOutOfMemory, !error.isRefusedForNow,
                !text.hasPrefix("MISCONF ")
            else { return .late("\(error)") }
            return .refused(text)
        }
    }

    private func send(_ payload: String, to poster: Reporter) async -> Outcome {
        do throws(ClientError) {
            let status = try await poster.post(payload)
            if (200..<300).contains(status) { return .taken }
            let reason = "the node answers \(status)"
            return Reporter.isForNow(status) ? .late(reason) : .refused(reason)
        } catch {
            return .late("\(error)")
        }
    }

    /// It may have been dropped in the meantime.
    private func removeFirst(_ entry: Entry) {
        if waiting.first?.payload == entry.payload { waiting.removeFirst() }
    }
}
