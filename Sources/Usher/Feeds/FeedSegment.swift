import JSON

/// A segment that an entry of a feed names, as the transcript has it now.
struct FeedSegment: Sendable {
    enum Kind: Sendable { case draft, confirmed, retracted }

    let id: String
    /// `<bot_id>:<segment_id>`.
    let field: [UInt8]
    let kind: Kind
    /// Whose it is: the bot's own name for the speaker, else the speaker's.
    let speaker: String
    /// As `GET /transcripts` shows it; empty of a retracted one.
    let json: [UInt8]
    /// Of a line of the meeting's chat: who wrote it, and what.
    let chat: (sender: String, text: String)?

    /// - Parameter version: the one that the entry names. Nil if the segment has another one since, of which a later entry
    ///   tells; of one that is not there any more; and of what is not of the form.
    init?(id: String, session: String, version: String?, value: String?, sessions: Sessions) {
        guard let value, let (own, kind) = Self.head(of: value), version == nil || own == version else { return nil }
        self.id = id
        field = Array("\(session):\(id)".utf8)
        self.kind = kind
        guard kind != .retracted else {
            speaker = ""
            json = []
            chat = nil
            return
        }
        guard let segment = StoredSegment(field: field, value: value, sessions: sessions) else { return nil }
        var json: [UInt8] = []
        segment.append(to: &json)
        self.json = json
        let members = try? Members(json: json)
        speaker = members?.speakerKey ?? members?.speaker ?? ""
        chat = members?.source == "chat" ? (members?.speaker ?? speaker, members?.text ?? "") : nil
    }

    private static func head(of value: String) -> (version: String, kind: Kind)? {
        let parts = value.utf8.split(separator: UInt8(ascii: " "), maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let version = String(parts[0]) else { return nil }
        switch parts[1].first {
        case UInt8(ascii: "d"): return (version, .draft)
        case UInt8(ascii: "c"): return (version, .confirmed)
        case UInt8(ascii: "r"): return (version, .retracted)
        default: return nil
        }
    }

    /// By bytes: two spellings of a name are two speakers.
    func isOfSpeaker(_ name: String) -> Bool { speaker.utf8.elementsEqual(name.utf8) }

    private struct Members: Decodable {
        let speaker: String?
        let speakerKey: String?
        let source: String?
        let text: String?

        enum CodingKeys: String, CodingKey {
            case speaker, source, text
            case speakerKey = "speaker_key"
        }
    }
}

/// The drafts of a meeting by their speakers, as far as they are shown: a bot may write any number.
struct FeedDrafts: Sendable {
    static let maximumCount = 100
    static let maximumBytes = 262_144

    /// In the order in which they came.
    private var drafts: [FeedSegment] = []
    private var bytes = 0

    /// Notes a segment.
    /// - Returns: the speakers whose drafts have changed.
    mutating func take(_ segment: FeedSegment) -> [String] {
        var speakers: [String] = []
        if let index = drafts.firstIndex(where: { $0.field == segment.field }) {
            speakers.append(drafts[index].speaker)
            bytes -= drafts[index].json.count
            if segment.kind == .draft, drafts[index].isOfSpeaker(segment.speaker) {
                drafts[index] = segment
                bytes += segment.json.count
                trim()
                return speakers
            }
            drafts.remove(at: index)
        }
        if segment.kind == .draft {
            drafts.append(segment)
            bytes += segment.json.count
            speakers.append(segment.speaker)
            trim()
        }
        return speakers
    }

    private mutating func trim() {
        while drafts.count > Self.maximumCount || bytes > Self.maximumBytes, drafts.count > 1 {
            bytes -= drafts.removeFirst().json.count
        }
    }

    /// All of a speaker's, joined by commas.
    func pending(of speaker: String) -> [UInt8] {
        var json: [UInt8] = []
        for draft in drafts where draft.isOfSpeaker(speaker) {
            if !json.isEmpty { json.append(UInt8(ascii: ",")) }
            json += draft.json
        }
        return json
    }

    mutating func removeAll() {
        drafts = []
        bytes = 0
    }
}
