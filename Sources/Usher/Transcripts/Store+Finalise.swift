import EventLoop
import FoundationEssentials
import Redis
import Scripts

extension Store {
    /// Finalises the record of a meeting that is in ANALYZING: who took part and which languages were spoken are
    /// collected from its transcript, and it becomes OFFLINE. Safe to repeat, by any node.
    /// - Returns: whether this call did it.
    @discardableResult
    public func finalise(meeting id: String, workspace: String, deadline: MonotonicTime) async throws(RedisError)
        -> Bool
    {
        let partition = Partition(workspace: workspace)
        let fields = try await send(Command("HMGET", partition.meeting(id), "status", "bot_id"), by: deadline)
            .arrayOrThrow()
        guard fields[0].string == MeetingStatus.analyzing.rawValue, let botID = fields[1].string else { return false }
        let segments = try await segments(ofMeeting: id, workspace: workspace, deadline: deadline)
        return try await run(
            Scripts.finalise, keys: [partition.meeting(id), partition.analyzing, partition.events],
            arguments: [
                id, botID, Self.json(Self.participants(in: segments)), Self.json(Self.languages(in: segments)),
                String(configuration.maximumEvents),
            ], by: deadline) == .integer(1)
    }

    /// The speakers, in the order in which they first spoke.
    static func participants(in segments: [Segment]) -> [String] {
        var seen: Set<String> = []
        return segments.compactMap(\.speaker).filter { !$0.isEmpty && seen.insert($0).inserted }
    }

    /// The languages, the most spoken first.
    static func languages(in segments: [Segment]) -> [String] {
        let counts = Dictionary(segments.compactMap(\.language).map { ($0, 1) }, uniquingKeysWith: +)
        return counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key)
    }

    private static func json(_ texts: [String]) -> String {
        (try? JSONEncoder().encode(texts)).map { String(decoding: $0, as: UTF8.self) } ?? "[]"
    }
}
