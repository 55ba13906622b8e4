import Log
import Redis

/// Follows event streams, from now or some time on, also over times without Redis: each event comes once, and none is passed over,
/// unless the stream was trimmed beyond it meanwhile. Belongs to its loop's thread.
public struct EventWatch: Sendable {
    /// Which events are wanted.
    public struct Filter: Equatable, Sendable {
        public var workspace: String?
        public var meeting: String?
        /// nil: those that come from now on.
        public var since: Since?

        public init(workspace: String? = nil, meeting: String? = nil, since: Since? = nil) {
            self.workspace = workspace
            self.meeting = meeting
            self.since = since
        }
    }

    /// From when on events are wanted, in milliseconds.
    public enum Since: Equatable, Sendable {
        /// Since 1970.
        case time(Int)
        /// Before now, by Redis' clock.
        case ago(Int)
    }

    /// Where an event took place; what is not known any more is empty.
    public struct Place: Equatable, Sendable {
        public var workspaceID = ""
        public var room = ""

        public init(workspaceID: String = "", room: String = "") {
            self.workspaceID = workspaceID
            self.room = room
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
    /// Of meetings whose place is remembered.
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
    public func run(_ take: @escaping @Sendable (MeetingEvent, Place) -> Bool) async throws {
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

    private func follow(
        _ partitions: [Partition], _ take: @Sendable (MeetingEvent, Place) -> Bool
    ) async throws(RedisError) {
        var last: [String]?
        var places: [String: Place] = [:]
        while !Task.isCancelled {
            do throws(RedisError) {
                var ids = if let last { last } else { try await beginnings(in: partitions) }
                last = ids
                for entry in try await read(partitions, after: ids) {
                    if let event = entry.event, let place = try await place(of: event, &places),
                        !Task.isCancelled, !take(event, place)
                    {
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

    /// The ids after which entries are wanted. Those of the newest by id, and not by `$`, so that nothing is missed
    /// between two reads.
    private func beginnings(in partitions: [Partition]) async throws(RedisError) -> [String] {
        if let since = filter.since {
            let time =
                switch since {
                case .time(let time): time
                case .ago(let milliseconds): try await session.time() - milliseconds
                }
            return partitions.map { _ in time > 0 ? "\(time - 1)-\(UInt64.max)" : "0-0" }
        }
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

    /// - Returns: nil if the event is not wanted.
    private func place(
        of event: MeetingEvent, _ places: inout [String: Place]
    ) async throws(RedisError) -> Place? {
        if let meeting = filter.meeting, event.meetingID != meeting { return nil }
        // An event names neither, and a partition has many workspaces.
        var place = places[event.meetingID]
        if place == nil {
            place = try await session.meetings.place(ofMeeting: event.meetingID)
            if places.count >= Self.maximumMemory { places = [:] }
            places[event.meetingID] = place
        }
        if let workspace = filter.workspace, place?.workspaceID != workspace { return nil }
        return place ?? Place()
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

extension Meetings {
    /// Nil if there is no such meeting any more.
    fileprivate func place(ofMeeting id: String) async throws(RedisError) -> EventWatch.Place? {
        guard let workspace = try await workspaceID(ofMeeting: id) else { return nil }
        let key = Partition(workspace: workspace).meeting(id)
        let fields = try await session.send(Command("HMGET", key, "platform", "native_meeting_id")).arrayOrThrow()
        guard let platform = fields.first?.string, let nativeID = fields.last?.string else {
            return EventWatch.Place(workspaceID: workspace)
        }
        return EventWatch.Place(workspaceID: workspace, room: "\(platform):\(nativeID)")
    }
}
