import EventLoop
import Log
import Redis

/// Writes to the segment stream, or sends to a node, in order, for as long as it takes: an entry whose outcome is unknown
/// is written again, since segments are told apart by their ids. What waits is bounded; then the oldest goes.
///
/// `@unchecked Sendable`: belongs to its loop's thread, on which its tasks run too.
public final class TranscriptWriter: @unchecked Sendable {
    private static let maximumWaiting = 1_000
    private static let timeoutMilliseconds = 5_000
    private static let pauseMilliseconds = 100

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
            logger.warning("Dropped a transcript entry: nobody has taken any for long")
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

    /// Waits until all is written, but not past `deadline`.
    public func flush(deadline: MonotonicTime) async {
        while isWriting, MonotonicTime.now() < deadline { await client.loop.wait(milliseconds: 5) }
        isStopped = true
        if !waiting.isEmpty { logger.warning("Leaving with transcript entries that nobody took") }
    }

    private var deadline: MonotonicTime { .now().advanced(byMilliseconds: Self.timeoutMilliseconds) }

    private func write() async {
        while !isStopped, let entry = waiting.first {
            do throws(RedisError) {
                try await send(entry.payload)
                removeFirst(entry)
                entry.acknowledged?()
            } catch .refused(let text) {
                removeFirst(entry)
                logger.warning("A transcript entry was refused", ["reason": text])
            } catch {
                await client.loop.wait(milliseconds: Self.pauseMilliseconds)
            }
        }
        isWriting = false
    }

    /// - Throws: `refused` if it is not taken, another error if it may be taken later.
    private func send(_ payload: String) async throws(RedisError) {
        guard let poster else {
            let command = Command("XADD", "transcription_segments", "*", "payload", payload)
            _ = try await client.send(command, deadline: deadline)
            return
        }
        switch await poster.post(payload) {
        case .some(200..<300): return
        case .some(let status) where status < 500 && status != 429: throw .refused("the node answers \(status)")
        case .some, nil: throw .notConnected
        }
    }

    /// It may have been dropped in the meantime.
    private func removeFirst(_ entry: Entry) {
        if waiting.first?.payload == entry.payload { waiting.removeFirst() }
    }
}
