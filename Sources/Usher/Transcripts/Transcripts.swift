import Redis
import Scripts

/// What became of segments.

public typealias Ingestion = Scripts.IngestSegments.Reply

/// What was said in meetings.
public struct Transcripts: Sendable {
    let session: Session

    /// The most segments that a meeting may have: a day and a half of one every three seconds.
    static let maximumSegmentsOfMeeting = 50_000

    /// The most bytes that a meeting may have, with its transcript.
    static let maximumBytesOfMeeting = 16 << 20

    // MARK: Taking in

    /// Takes in what the bot at `place` sent by HTTP, after its secret was checked; also soon after its end.
    public func ingest(_ message: SegmentMessage, from place: BotPlace) async throws(RedisError) -> Ingestion {
        var message = message
        message = SegmentMessage(message.content, meetingNumber: message.meetingNumber, session: place.botID)
        return try await ingest(message, meeting: place.meetingID, workspace: place.workspaceID, version: nil)
    }

    /// Takes in what a message says of a meeting. An acknowledged segment is stored; taking it in again changes nothing.
    /// - Parameter version: the id of the stream entry that brought it; nil for the present time.
    func ingest(
        _ message: SegmentMessage, meeting id: String, workspace: String, version: String?
    ) async throws(RedisError) -> Ingestion {
        let keys = WorkspaceKeys(workspace: workspace)
        let origin = try await self.origin(of: message, meeting: id, in: keys.partition, version: version)
        guard let origin else { return .unknownMeeting }
        let target = Target(meeting: id, keys: keys, session: origin.id, version: version)
        var arguments: [String] = []
        var end = 0
        switch message.content {
        case .segments(var segments):
            if let earliest = segments.lazy.filter(\.isAbsolute).map(\.start).min() {
                let earliest = SegmentTime.milliseconds(earliest)
                let began: Int
                switch try await beginning(of: target, known: origin.began, earliest: earliest) {
                case .at(let time): began = time
                case .none(let outcome): return outcome
                }
                segments = segments.map { $0.placed(inSessionFrom: began) }
            }
            var bytes = 0
            for segment in Self.lastForms(of: segments) {
                guard let (meta, json) = StoredSegment.encode(segment, configuredLanguage: origin.language) else {
                    continue
                }
                arguments += [segment.segmentID, segment.completed ? "c" : "d", meta, json]
                end = max(end, StoredSegment.milliseconds(segment.end))
                bytes += json.utf8.count
                // Others have their turn on the loop meanwhile.
                if bytes > Self.bytesInOneTurn {
                    bytes = 0
                    await Task.yield()
                }
            }
        case .retraction(let ids):
            var seen: Set<[UInt8]> = []
            for id in ids where seen.insert(Array(id.utf8)).inserted { arguments += [id, "r", "0 0 -", ""] }
        case .sessionStart: break
        case .sessionEnd: return .stored(changed: 0)
        }
        return try await ingest(arguments, to: target, lasting: end)
    }

    /// How many bytes of segments are put into their stored form in one turn of the loop.
    private static let bytesInOneTurn = 32_768

    /// What the script is told beside the segments.
    private struct Target {
        let meeting: String
        let keys: WorkspaceKeys
        let session: String
        let version: String?
    }

    /// - Parameters:
    ///   - segments: four arguments for each, as the script takes them.
    ///   - lasting: how long the session lasts by the latest of them, in milliseconds; or when the earliest was said,
    ///     since 1970.
    private func ingest(_ segments: [String], to target: Target, lasting: Int) async throws(RedisError) -> Ingestion {
        let (id, partition) = (target.meeting, target.keys.partition)
        let outcome = try await session.run(
            Scripts.IngestSegments(
                meetingKey: partition.meeting(id), segmentsKey: partition.segments(ofMeeting: id),
                analyzingKey: partition.analyzing, workspaceKey: target.keys.workspace,
                botKey: partition.bot(target.session), feedKey: partition.feed(ofMeeting: id),
                feedsKey: target.keys.feed, endedKey: partition.ended, meetingID: id, botID: target.session,
                entry: target.version,
                lastingMilliseconds: lasting, maxSegments: Self.maximumSegmentsOfMeeting,
                maxBytes: Self.maximumBytesOfMeeting, defaultMaxBytes: session.configuration.defaultMaximumBytes,
                segments: segments))
        guard case .tooMuch = outcome else { return outcome }
        // One alone is never too much.
        let half = segments.count / 8 * 4
        let first = try await ingest(Array(segments[..<half]), to: target, lasting: lasting)
        guard case .stored(let changed) = first else { return first }
        let second = try await ingest(Array(segments[half...]), to: target, lasting: lasting)
        guard case .stored(let more) = second else { return second }
        return .stored(changed: changed + more)
    }

    private enum Beginning {
        case at(Int)
        /// The session cannot begin: what the script says of it.
        case none(Ingestion)
    }

    /// When the session began, from which times since 1970 are counted: noted once, so that each delivery of a segment
    /// is the same. It begins here if nothing has been heard of it.
    /// - Parameter earliest: when the first of the segments was said, milliseconds since 1970.
    private func beginning(of target: Target, known: Int?, earliest: Int) async throws(RedisError) -> Beginning {
        if let known { return .at(known) }
        let outcome = try await ingest([], to: target, lasting: earliest)
        guard case .stored = outcome else { return .none(outcome) }
        let text = try await session.send(Command("HGET", target.keys.partition.meeting(target.meeting), "sessions"))
            .optionalString()
        // A field that another hand spoilt has no beginning.
        return .at(Sessions(text).start(of: target.session) ?? earliest)
    }

    /// One form of each segment: the last confirmed one, or else the last draft. Ids are told apart by their bytes, as
    /// Redis does: two that look alike may be two.
    private static func lastForms(of segments: [Segment]) -> [Segment] {
        var forms: [[UInt8]: Segment] = [:]
        for segment in segments {
            let id = Array(segment.segmentID.utf8)
            if segment.completed || forms[id]?.completed != true { forms[id] = segment }
        }
        return Array(forms.values)
    }

    /// The session that a message belongs to, the language that its bot is configured with, and when it began, if it
    /// has, in milliseconds since 1970. Nil if the meeting is not there, or has no bot.
    ///
    /// A message that names none, or one that was not this meeting's, belongs to the session that was under way when it
    /// was written, by its place in the stream or else by its time: so what an earlier bot wrote late stays its own after
    /// a restart.
    private func origin(
        of message: SegmentMessage, meeting id: String, in partition: Partition, version: String?
    ) async throws(RedisError) -> (id: String, language: String?, began: Int?)? {
        let named = message.session.flatMap { Partition(bot: $0) == partition ? $0 : nil }
        let replies = try await session.pipeline(
            [Command("HMGET", partition.meeting(id), "bot_id", "language", "sessions", "positions")]
                + (named.map { [Command("HMGET", partition.bot($0), "meeting_id", "language")] } ?? []))
        let meeting = try replies[0].arrayOrThrow()
        guard meeting.count == 4, let current = meeting[0].string else { return nil }
        let sessions = Sessions(meeting[2].string)
        if let named {
            let bot = try replies[1].arrayOrThrow()
            if bot.first?.string == id || sessions.start(of: named) != nil {
                return (named, bot.last?.string ?? meeting[1].string, sessions.start(of: named))
            }
        }
        // A session that is not this meeting's does not begin here.
        if case .sessionStart = message.content { return nil }
        let writer = version.flatMap { StreamPositions(meeting[3].string).writer(of: $0, current: current) }
        let writtenAt = version.flatMap { Int($0.prefix { $0 != "-" }) } ?? Int.max
        let writing = writer ?? sessions.current(at: writtenAt) ?? current
        return (writing, meeting[1].string, sessions.start(of: writing))
    }

    /// The workspace and the id of the meeting with this number; nil if there is none.
    func locate(number: Int) async throws(RedisError) -> (workspace: String, meeting: String)? {
        let text = try await session.send(Command("GET", Keys.locator(number: number))).optionalString()
        guard let parts = text?.split(separator: " "), parts.count == 2 else { return nil }
        return (String(parts[0]), String(parts[1]))
    }
}

extension Session {
    public var transcripts: Transcripts { Transcripts(session: self) }
}
