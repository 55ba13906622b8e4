import EventLoop
import FoundationEssentials
import Redis
import Scripts

extension Store {
    /// Finalises the record of a meeting whose bot has left: who took part and which languages were spoken are
    /// collected from its transcript, and it becomes OFFLINE if it was in ANALYZING. Safe to repeat, by any node.
    /// - Returns: whether this call moved it to OFFLINE.
    @discardableResult
    public func finalise(
        meeting id: String, workspace: String, deadline: MonotonicTime
    ) async throws(RedisError) -> Bool {
        let partition = Partition(workspace: workspace)
        let fields = try await send(
            Command("HMGET", partition.meeting(id), "bot_id", "segments_revision", "sessions"), by: deadline
        ).arrayOrThrow()
        guard fields.count == 3 else { throw .unexpectedReply("a meeting's record with \(fields.count) fields") }
        let transcript = try await transcript(
            ofMeeting: id, in: partition, sessions: Sessions(fields[2].string), deadline: deadline)
        let (participants, languages) = Self.collect(from: transcript)
        let bot = fields[0].string ?? ""
        return try await run(
            Scripts.finalise,
            keys: [partition.meeting(id), partition.analyzing, partition.events, partition.bot(bot)],
            arguments: [
                id, bot, fields[1].string ?? "", Self.json(participants), Self.json(languages),
                String(configuration.maximumEvents),
            ], by: deadline) == .integer(1)
    }

    /// The speakers, in the order in which they first spoke, and the languages, the most spoken first.
    static func collect(from transcript: Transcript) -> (participants: [String], languages: [String]) {
        var seen: Set<String> = []
        var participants: [String] = []
        var counts: [String: Int] = [:]
        for segment in transcript.segments {
            let (speaker, language) = segment.speakerAndLanguage
            if let speaker, seen.insert(speaker).inserted { participants.append(speaker) }
            if let language { counts[language, default: 0] += 1 }
        }
        let languages = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key)
        return (participants, languages)
    }

    private static func json(_ texts: [String]) -> String {
        (try? JSONEncoder().encode(texts)).map { String(decoding: $0, as: UTF8.self) } ?? "[]"
    }
}
