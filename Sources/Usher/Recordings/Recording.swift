/// What one bot of a meeting has heard, as the meeting's record tells of it.
public struct Recording: Equatable, Sendable {
    /// How many a record tells of.
    static let maximumListed = 100
    /// Of a file's header, and of a millisecond of sound: WAV, 16 kHz, 16 bits, one channel.
    private static let (headerBytes, bytesPerMillisecond) = (44, 32)

    public let botID: String
    /// Of its file.
    public let bytes: Int
    /// Milliseconds since 1970; nil where that is not known any more.
    public let startTime: Int?

    public var durationMilliseconds: Int { max(0, bytes - Self.headerBytes) / Self.bytesPerMillisecond }
}

extension Meeting {
    /// Those that are kept, the first one first: the field `recordings`, `<bot_id>=<bytes>` for each. What another hand
    /// wrote there, and is none, is passed over.
    public var recordings: [Recording] {
        guard let text = fields["recordings"] else { return [] }
        let sessions = Sessions(fields["sessions"])
        return text.split(separator: " ").prefix(Recording.maximumListed).compactMap { part in
            let parts = part.split(separator: "=")
            guard parts.count == 2, let bytes = Int(parts[1]), bytes >= 0, Identifier.isUUID(String(parts[0])) else {
                return nil
            }
            let bot = String(parts[0])
            return Recording(botID: bot, bytes: bytes, startTime: sessions.start(of: bot))
        }
    }
}
