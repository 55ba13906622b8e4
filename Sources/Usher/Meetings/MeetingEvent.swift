import Redis

/// A change of a meeting, as the event streams have it (docs/architecture.md, "Keys").
public struct MeetingEvent: Equatable, Sendable {
    /// The stream entry's.
    public let id: String
    /// Milliseconds since 1970, by Redis' clock.
    public let at: Int
    public let what: String
    public let meetingID: String
    /// Empty if no bot has to do with it.
    public let botID: String
    /// Status and bot_status before and after, as `INITIAL/requested`.
    public let from: String
    public let to: String
    /// Who or what caused it.
    public let why: String
    /// Empty if there is none, or if it was written by a node that knows nothing of traces.
    public let traceID: String

    /// - Parameter reply: an entry as XREAD and XRANGE return it. Nil if it is not one of ours.
    public init?(_ reply: Value) {
        guard let parts = reply.array, parts.count == 2, let id = parts[0].string, let fields = try? parts[1].hash(),
            let what = fields["what"], let meetingID = fields["meeting_id"]
        else { return nil }
        self.id = id
        self.what = what
        self.meetingID = meetingID
        at = fields["at"].flatMap { Int($0) } ?? id.split(separator: "-").first.flatMap { Int($0) } ?? 0
        botID = fields["bot_id"] ?? ""
        from = fields["from"] ?? ""
        to = fields["to"] ?? ""
        why = fields["why"] ?? ""
        traceID = fields["trace_id"] ?? ""
    }
}
