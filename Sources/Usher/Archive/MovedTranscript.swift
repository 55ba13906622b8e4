/// A transcript that is moved to the archive: all that was said, from Redis and from the object before.
public struct MovedTranscript: Sendable {
    /// `<bot_id>:<segment_id>` and the stored form of each, in the order in which they are read; retracted ones are last.
    public let segments: [(field: [UInt8], value: String)]
    let participants: String
    let languages: String
    /// As quotas count them.
    let taken: Int

    /// Takes as long as it takes: not on a loop that others need.
    public init(_ stored: StoredSegments, sessions: String?) {
        let sessions = Sessions(sessions)
        var placed: [(place: SegmentPlace, value: String)] = []
        var retracted: [(field: [UInt8], value: String)] = []
        var participation = Participation()
        for (field, value) in stored {
            guard let segment = StoredSegment(field: field, value: value, sessions: sessions) else {
                retracted.append((field, value))
                continue
            }
            let place = SegmentPlace(segment, field: field)
            participation.add(segment, at: place)
            placed.append((place, value))
        }
        placed.sort { $0.place < $1.place }
        retracted.sort { $0.field.lexicographicallyPrecedes($1.field) }
        segments = placed.map { ($0.place.field, $0.value) } + retracted
        participants = Transcripts.json(participation.participants)
        languages = Transcripts.json(participation.counts)
        taken = stored.reduce(0) { $0 + StoredSegment.taken(field: $1.key, value: $1.value) }
    }
}
