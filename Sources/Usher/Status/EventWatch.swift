import Log
import Redis

/// Follows event streams from now on, also over times without Redis: each event comes once, and none is passed over,
/// unless the stream was trimmed beyond it meanwhile. Belongs to its loop's thread.
public struct EventWatch: Sendable {
    /// Which events are wanted.
    public struct Filter: Equatable, Sendable {
        public var workspace: String?
        public var meeting: String?

        public init(workspace: String? = nil, meeting: String? = nil) {
            self.workspace = workspace
            self.meeting = meeting
        }
    }

    /// There is no meeting of this id, so nothing will come.
    public struct UnknownMeeting: Error, CustomStringConvertible {
        let id: String

        public var description: String { "there is no meeting with the id \(id)" }
    }

    private static let blockMilliseconds = 2_000
    private static let eventsPerRead = 100
    private static let pauseMilliseconds = 100...500
    /// Of meetings whose workspace is remembered.
    private static let maximumMemory = 10_000

    private let store: Store
    private let blocking: Client
    private let isCluster: Bool
    private let filter: Filter
    private let logger: Logger

    /// - Parameters:
    ///   - store: for questions.
    ///   - blocking: for reads that block; nothing else may wait behind them.
    ///   - isCluster: so that each stream is read by itself.
    public init(store: Store, blocking: Client, isCluster: Bool, filter: Filter, logger: Logger) {
        self.store = store
        self.blocking = blocking
        self.isCluster = isCluster
        self.filter = filter
        self.logger = logger
    }

    /// Runs until its task is cancelled, or `take` returns false.
    /// - Parameter take: gets each event, in the order of its partition.
    /// - Throws: `UnknownMeeting`, or `RedisError.refused` if the user may not read the streams.
    public func run(_ take: @escaping @Sendable (MeetingEvent) -> Bool) async throws {
        let workspace: String? =
            if let meeting = filter.meeting { try await owner(of: meeting) } else { filter.workspace }
        let partitions = workspace.map { [Partition(workspace: $0)] } ?? Partition.all
        let parts = isCluster ? partitions.map { [$0] } : [partitions]
        let failures = await withTaskGroup(of: RedisError?.self) { group in
            for part in parts {
                group.addTask { [self] in
                    do throws(RedisError) {
                        try await follow(part, take)
                        return nil
                    } catch {
                        return error
                    }
                }
            }
            // One that ends ends all.
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
        if let failures { throw failures }
    }

    private func follow(_ partitions: [Partition], _ take: @Sendable (MeetingEvent) -> Bool) async throws(RedisError) {
        var last: [String]?
        var owners: [String: String] = [:]
        while !Task.isCancelled {
            do throws(RedisError) {
                var ids = if let last { last } else { try await ends(of: partitions) }
                last = ids
                for entry in try await read(partitions, after: ids) {
                    if let event = entry.event, try await isWanted(event, &owners), !Task.isCancelled, !take(event) {
                        return
                    }
                    ids[entry.index] = entry.id
                    last = ids
                }
            } catch {
                if case .refused(let text) = error, text.hasPrefix("NOPERM") { throw error }
                if !Task.isCancelled {
                    logger.debug("Events could not be read; trying again", ["reason": "\(error)"])
                    await blocking.loop.wait(milliseconds: Int.random(in: Self.pauseMilliseconds))
                }
            }
        }
    }

    /// The ids of the newest entries: what comes after them is new. By id, and not by `$`, so that nothing is missed
    /// between two reads.
    private func ends(of partitions: [Partition]) async throws(RedisError) -> [String] {
        let replies = try await session.pipeline(
            partitions.map { Command("XREVRANGE", $0.events, "+", "-", "COUNT", "1") })
        return try replies.map { reply throws(RedisError) in
            try reply.arrayOrThrow().first?.array?.first?.string ?? "0-0"
        }
    }

    /// - Returns: the entries, each with the index of its partition; one that is none of ours has no event.
    private func read(
        _ partitions: [Partition], after ids: [String]
    ) async throws(RedisError) -> [(index: Int, id: String, event: MeetingEvent?)] {
        let words =
            ["XREAD", "COUNT", String(Self.eventsPerRead), "BLOCK", String(Self.blockMilliseconds), "STREAMS"]
            + partitions.map(\.events) + ids
        let reply = try await blocking.send(
            Command(words: words), deadline: .now().advanced(byMilliseconds: 2 * Self.blockMilliseconds))
        if reply == .null { return [] }
        var entries: [(index: Int, id: String, event: MeetingEvent?)] = []
        for stream in try reply.arrayOrThrow() {
            let parts = try stream.arrayOrThrow()
            guard parts.count == 2, let index = partitions.firstIndex(where: { $0.events == parts[0].string }) else {
                throw .unexpectedReply("XREAD returned another stream")
            }
            for entry in try parts[1].arrayOrThrow() {
                guard let id = entry.array?.first?.string else { throw .unexpectedReply("an entry without an id") }
                entries.append((index, id, MeetingEvent(entry)))
            }
        }
        return entries
    }

    // MARK: Filter

    private func isWanted(_ event: MeetingEvent, _ owners: inout [String: String]) async throws(RedisError) -> Bool {
        if let meeting = filter.meeting { return event.meetingID == meeting }
        guard let workspace = filter.workspace else { return true }
        // An event names no workspace, and a partition has many.
        if let known = owners[event.meetingID] { return known == workspace }
        guard let owner = try await session.meetings.workspaceID(ofMeeting: event.meetingID) else { return false }
        if owners.count >= Self.maximumMemory { owners = [:] }
        owners[event.meetingID] = owner
        return owner == workspace
    }

    /// Waits for an answer for as long as Redis is away.
    private func owner(of meeting: String) async throws -> String {
        while true {
            do throws(RedisError) {
                guard let owner = try await session.meetings.workspaceID(ofMeeting: meeting) else {
                    break
                }
                return owner
            } catch {
                if case .refused = error { throw error }
                if Task.isCancelled { throw error }
                await blocking.loop.wait(milliseconds: Int.random(in: Self.pauseMilliseconds))
            }
        }
        throw UnknownMeeting(id: meeting)
    }

    private var session: Session { store.session(milliseconds: Self.blockMilliseconds) }
}
