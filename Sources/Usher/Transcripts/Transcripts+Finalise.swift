import FoundationEssentials
import JSON
import Log
import Redis
import Scripts

extension Transcripts {
    /// Finalises the record of a meeting whose bot has left: who took part and which languages were spoken are
    /// collected from its transcript, and it becomes OFFLINE if it was in ANALYZING. Safe to repeat, by any node.
    /// - Returns: whether this call moved it to OFFLINE.
    @discardableResult
    public func finalise(meeting id: String, workspace: String) async throws(RedisError) -> Bool {
        let keys = WorkspaceKeys(workspace: workspace)
        let partition = keys.partition
        let fields = try await session.send(
            Command(
                "HMGET", partition.meeting(id), "bot_id", "segments_revision", "sessions", "archived",
                "archived_participants", "archived_languages")
        ).arrayOrThrow()
        guard fields.count == 6 else { throw .unexpectedReply("a meeting's record with \(fields.count) fields") }
        let sessions = Sessions(fields[2].string)
        var participation = Participation()
        // What is in the archive need not be fetched for it.
        if fields[3] != .null { participation.begin(participants: fields[4].string, languages: fields[5].string) }
        var scan = SegmentScan(segmentsOfMeeting: id, of: workspace)
        while let batch = try await scan.next(in: session) {
            for (field, value) in batch {
                guard let segment = StoredSegment(field: field, value: value, sessions: sessions) else { continue }
                participation.add(segment, at: SegmentPlace(segment, field: field))
            }
        }
        let bot = fields[0].string ?? ""
        return try await session.run(
            Scripts.Finalise(
                meetingKey: partition.meeting(id), analyzingKey: partition.analyzing, eventsKey: partition.events,
                botKey: partition.bot(bot), webhooksKey: keys.webhooks, outboxKey: partition.outbox,
                operatorKey: partition.operatorEndpoint,
                feedKey: partition.feed(ofMeeting: id), feedsKey: keys.feed, meetingID: id, botID: bot,
                revision: fields[1].string, participants: Self.json(participation.participants),
                languages: Self.json(participation.languages), maxEvents: session.configuration.maximumEvents))
            == .finalised
    }

    static func json(_ value: some Encodable) -> String {
        (try? JSONEncoder().encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}

/// What is collected from a transcript, segment by segment, in whatever order they come. A record is read as a whole in
/// many places, so what goes there is bounded: a bot may make up a speaker for each word.
struct Participation {
    static let maximumParticipants = 1_000
    static let maximumLanguages = 100
    /// Of all participants' names.
    static let maximumNameBytes = 32_768

    /// When each first spoke.
    private var firsts: [[UInt8]: SegmentPlace] = [:]
    private var languageCounts: [[UInt8]: Int] = [:]
    /// Those who spoke in the part that the archive has, in the order in which they first did: before all others.
    private var earlier: [[UInt8]] = []

    /// Begins with what was collected when the transcript was moved to the archive.
    mutating func begin(participants: String?, languages: String?) {
        func read<Value: Decodable>(_ type: Value.Type, _ text: String?) -> Value? {
            text.flatMap { try? Value(json: Array($0.utf8)) }
        }
        earlier = (read([String].self, participants) ?? []).map { Array($0.utf8) }
        for (code, count) in read([String: Int].self, languages) ?? [:] where count > 0 {
            languageCounts[Array(code.utf8)] = count
        }
    }

    mutating func add(_ segment: StoredSegment, at place: SegmentPlace) {
        let (speaker, language) = segment.speakerAndLanguage
        if let speaker {
            let name = Array(speaker.utf8)
            if let first = firsts[name] { firsts[name] = min(first, place) } else { firsts[name] = place }
            if firsts.count > 2 * Self.maximumParticipants { forgetLateSpeakers() }
        }
        if let language {
            let code = Array(language.utf8)
            if languageCounts[code] != nil || languageCounts.count < Self.maximumLanguages {
                let count = languageCounts[code] ?? 0
                languageCounts[code] = count.addingClamped(1)
            }
        }
    }

    private mutating func forgetLateSpeakers() {
        let kept = firsts.sorted { $0.value < $1.value }.prefix(Self.maximumParticipants)
        firsts = Dictionary(uniqueKeysWithValues: kept.map { ($0.key, $0.value) })
    }

    /// The speakers, in the order in which they first spoke.
    var participants: [String] {
        var bytes = 0
        let known = Set(earlier)
        let later = firsts.sorted { $0.value < $1.value }.map(\.key).filter { !known.contains($0) }
        return (earlier + later).prefix(Self.maximumParticipants).prefix { name in
            bytes += name.count
            return bytes <= Self.maximumNameBytes
        }.map { String(decoding: $0, as: UTF8.self) }
    }

    /// The languages, the most spoken first.
    var languages: [String] {
        languageCounts.map { (code: String(decoding: $0.key, as: UTF8.self), count: $0.value) }
            .sorted { ($1.count, $0.code) < ($0.count, $1.code) }.map(\.code)
    }

    /// How many segments have each.
    var counts: [String: Int] {
        Dictionary(languageCounts.map { (String(decoding: $0.key, as: UTF8.self), $0.value) }) { $0.addingClamped($1) }
    }
}
