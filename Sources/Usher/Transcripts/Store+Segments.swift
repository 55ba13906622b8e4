import EventLoop
import FoundationEssentials
import Redis
import Scripts

extension Store {
    public enum Ingestion: Equatable, Sendable {
        /// How many segments were new, or another form of a known one.
        case stored(changed: Int)
        case unknownMeeting
    }

    /// What the segments of a session are completed with.
    private struct Session {
        let id: String
        /// Milliseconds since 1970; nil if the bot has not been in the room.
        let start: Int?
        let language: String?
        /// Milliseconds since 1970, by Redis' clock.
        let now: Int
    }

    /// Takes segments of a meeting in. An acknowledged segment is stored; taking the same one in again changes nothing.
    /// - Parameters:
    ///   - session: the bot that sent them; nil for the meeting's current one.
    ///   - version: the id of the stream entry that brought them; nil for none.
    func ingest(
        _ segments: [Segment], meeting id: String, workspace: String, session: String?, version: String?,
        deadline: MonotonicTime
    ) async throws(RedisError) -> Ingestion {
        let partition = Partition(workspace: workspace)
        guard let session = try await self.session(session, ofMeeting: id, in: partition, deadline: deadline) else {
            return .unknownMeeting
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var arguments: [String] = []
        for segment in segments {
            let complete = Self.complete(segment, session)
            guard let json = try? encoder.encode(complete) else { continue }
            arguments += [
                "\(session.id):\(segment.segmentID)", segment.completed ? "c" : "d",
                String(decoding: json, as: UTF8.self),
            ]
        }
        return try await store(arguments, meeting: id, in: partition, version: version, deadline: deadline)
    }

    /// Removes segments of a meeting for good: a form of them that arrives later is not taken in.
    func retract(
        _ segmentIDs: [String], meeting id: String, workspace: String, session: String?, version: String?,
        deadline: MonotonicTime
    ) async throws(RedisError) -> Ingestion {
        let partition = Partition(workspace: workspace)
        guard let session = try await self.session(session, ofMeeting: id, in: partition, deadline: deadline) else {
            return .unknownMeeting
        }
        let arguments = segmentIDs.flatMap { ["\(session.id):\($0)", "r", ""] }
        return try await store(arguments, meeting: id, in: partition, version: version, deadline: deadline)
    }

    private func session(
        _ id: String?, ofMeeting meeting: String, in partition: Partition, deadline: MonotonicTime
    ) async throws(RedisError) -> Session? {
        let replies = try await pipeline(
            [
                Command("HMGET", partition.meeting(meeting), "bot_id", "start_time", "language", "id"),
                Command("TIME"),
            ] + (id.map { [Command("HMGET", partition.bot($0), "active_at", "meeting_id")] } ?? []), by: deadline)
        let fields = try replies[0].arrayOrThrow()
        guard fields[3].string != nil, let current = fields[0].string else { return nil }
        let time = try replies[1].arrayOrThrow()
        let now = (time[0].string.flatMap { Int($0) } ?? 0) * 1_000 + (time[1].string.flatMap { Int($0) } ?? 0) / 1_000
        var start = fields[1].string.flatMap { Int($0) }
        var session = current
        // Another session than the current one is told apart only if it was this meeting's.
        if let id, id != current, let bot = replies[2].array, bot[1].string == meeting {
            session = id
            start = bot[0].string.flatMap { Int($0) } ?? start
        }
        return Session(id: session, start: start, language: fields[2].string, now: now)
    }

    /// A segment without a language gets the one that its bot is configured with; absolute times count from the start
    /// of its session.
    private static func complete(_ segment: Segment, _ session: Session) -> Segment {
        var segment = segment
        if segment.language == nil { segment.language = session.language }
        if segment.createdAt == nil { segment.createdAt = Timestamp.withZone(session.now) }
        if let start = session.start {
            func absolute(_ seconds: Double) -> String {
                Timestamp.withZone(start + Int((seconds * 1_000).rounded()))
            }
            if segment.absoluteStartTime == nil { segment.absoluteStartTime = absolute(segment.start) }
            if segment.absoluteEndTime == nil { segment.absoluteEndTime = absolute(segment.end) }
        }
        return segment
    }

    private func store(
        _ arguments: [String], meeting id: String, in partition: Partition, version: String?, deadline: MonotonicTime
    ) async throws(RedisError) -> Ingestion {
        let changed = try await run(
            Scripts.ingestSegments, keys: [partition.meeting(id), partition.segments(ofMeeting: id)],
            arguments: [version ?? ""] + arguments, by: deadline
        ).integerOrThrow()
        return changed < 0 ? .unknownMeeting : .stored(changed: changed)
    }

    /// The workspace and the id of the meeting with this number; nil if there is none.
    public func meeting(
        number: Int, deadline: MonotonicTime
    ) async throws(RedisError) -> (workspaceID: String, meetingID: String)? {
        let text = try await send(Command("GET", Keys.locator(number: number)), by: deadline).optionalString()
        guard let parts = text?.split(separator: " "), parts.count == 2 else { return nil }
        return (String(parts[0]), String(parts[1]))
    }

    /// Takes segments in that a bot sent by HTTP, after its secret was checked.
    public func ingest(
        _ segments: [Segment], from place: BotPlace, deadline: MonotonicTime
    ) async throws(RedisError) -> Ingestion {
        try await ingest(
            segments, meeting: place.meetingID, workspace: place.workspaceID, session: place.botID, version: nil,
            deadline: deadline)
    }

    // MARK: Reading

    /// The segments of a meeting in order of their start; those of an earlier session first.
    public func segments(
        ofMeeting id: String, workspace: String, deadline: MonotonicTime
    ) async throws(RedisError) -> [Segment] {
        let partition = Partition(workspace: workspace)
        let values = try await send(Command("HVALS", partition.segments(ofMeeting: id)), by: deadline).arrayOrThrow()
        let decoder = JSONDecoder()
        var segments: [Segment] = []
        segments.reserveCapacity(values.count)
        for value in values {
            // `<version> <kind> <JSON>`, as the script writes it; a retracted one has no JSON.
            let parts = try value.stringOrThrow().split(separator: " ", maxSplits: 2)
            guard parts.count == 3, let segment = try? decoder.decode(Segment.self, from: Data(parts[2].utf8)) else {
                continue
            }
            segments.append(segment)
        }
        // RFC 3339 times of one form order as text.
        return segments.sorted {
            ($0.absoluteStartTime ?? "", $0.start, $0.segmentID) < ($1.absoluteStartTime ?? "", $1.start, $1.segmentID)
        }
    }
}
