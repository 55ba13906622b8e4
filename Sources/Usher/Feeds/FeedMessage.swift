import Log

/// What viewers are told, in the words of the live feed (docs/live.md, "What comes"): made once, however many are told.
///
/// `@unchecked Sendable`: belongs to the thread of its loop.
public final class FeedMessage: @unchecked Sendable {
    public enum Kind: Equatable, Sendable {
        case transcript, retraction
        /// Of the bot of a meeting.
        case status(number: Int, nativeID: String, status: String, at: Int)
        /// What came before is not told any more: fetch the transcript anew.
        case reset
    }

    public let kind: Kind
    /// What it says of the meeting's chat, each line once more as clients of `GET /ws` know them: JSON objects, told before it.
    public let chat: [[UInt8]]
    /// A JSON object without its end, so that each viewer's cursor can be put behind.
    private let open: [UInt8]
    /// Where a viewer of the meeting goes on after this.
    public internal(set) var cursor: FeedCursor
    /// Where a viewer of all of the workspace's meetings goes on; nil of what was read in the meeting's own feed.
    public internal(set) var workspaceCursor: FeedCursor?
    private lazy var ofMeeting = ended(cursor)
    private lazy var ofWorkspace = ended(workspaceCursor ?? .beginning)

    init(
        _ kind: Kind, open: [UInt8], chat: [[UInt8]] = [], cursor: FeedCursor, workspaceCursor: FeedCursor?
    ) {
        self.kind = kind
        self.chat = chat
        self.open = open
        let now = WallClock.milliseconds
        self.cursor = cursor.seen(at: now)
        self.workspaceCursor = workspaceCursor?.seen(at: now)
    }

    /// The object, with the cursor of a viewer of the meeting, or of all meetings.
    public func json(ofWorkspace isOfWorkspace: Bool = false) -> [UInt8] { isOfWorkspace ? ofWorkspace : ofMeeting }

    private func ended(_ cursor: FeedCursor) -> [UInt8] { open + ",\"cursor\":\"\(cursor)\"}".utf8 }

    /// About how long it is.
    var byteCount: Int { open.count }

    /// - Parameter number: of the meeting; nil: of all meetings.
    static func reset(_ number: Int?, cursor: FeedCursor, workspaceCursor: FeedCursor?) -> FeedMessage {
        let meeting = number.map { ",\"meeting\":{\"id\":\($0)}" } ?? ""
        return FeedMessage(
            .reset, open: Array("{\"type\":\"reset\"\(meeting)".utf8), cursor: cursor, workspaceCursor: workspaceCursor)
    }
}

/// What a feed needs to know of a meeting.
struct FeedMeeting: Sendable {
    let number: Int
    let platform: String
    let nativeID: String
    let createdBy: String
    let sessions: Sessions
    /// Whether some of what was said there is in the archive.
    let isArchived: Bool
    /// Whether nothing is said there any more.
    let isOver: Bool

    static let fields = ["number", "platform", "native_meeting_id", "created_by", "sessions", "archived", "status"]

    /// - Parameter values: of `fields`; nil if there is no such record.
    init?(_ values: [String?]) {
        guard values.count == Self.fields.count, let number = values[0].flatMap({ Int($0) }), let platform = values[1],
            let nativeID = values[2]
        else { return nil }
        self.number = number
        self.platform = platform
        self.nativeID = nativeID
        createdBy = values[3].flatMap { Int($0) }.map { String($0) } ?? "0"
        sessions = Sessions(values[4])
        isArchived = values[5] != nil
        isOver = values[6] == MeetingStatus.offline.rawValue
    }

    func transcript(speaker: String, confirmed: [UInt8], pending: [UInt8], at milliseconds: Int) -> [UInt8] {
        var json = Array("{\"type\":\"transcript\",\"meeting\":{\"id\":\(number)},\"speaker\":\"".utf8)
        speaker.appendJSONEscaped(to: &json)
        json += "\",\"confirmed\":[".utf8
        json += confirmed
        json += "],\"pending\":[".utf8
        json += pending
        json += "],\"ts\":\"\(Timestamp.withZone(milliseconds))\"".utf8
        return json
    }

    func chatMessage(from sender: String, _ text: String) -> [UInt8] {
        var json = Array("{\"type\":\"chat_message\",\"meeting\":{\"id\":\(number)},\"sender\":\"".utf8)
        sender.appendJSONEscaped(to: &json)
        json += "\",\"text\":\"".utf8
        text.appendJSONEscaped(to: &json)
        json += "\"}".utf8
        return json
    }

    func retraction(of ids: [String]) -> [UInt8] {
        var json = Array("{\"type\":\"transcript_retract\",\"meeting\":{\"id\":\(number)},\"segment_ids\":[".utf8)
        for (index, id) in ids.enumerated() {
            json += (index > 0 ? ",\"" : "\"").utf8
            id.appendJSONEscaped(to: &json)
            json.append(UInt8(ascii: "\""))
        }
        json.append(UInt8(ascii: "]"))
        return json
    }

    func status(_ status: String, at milliseconds: Int) -> [UInt8] {
        var json = Array("{\"type\":\"meeting.status\",\"meeting\":{\"id\":\(number),\"platform\":\"".utf8)
        platform.appendJSONEscaped(to: &json)
        json += "\",\"native_id\":\"".utf8
        nativeID.appendJSONEscaped(to: &json)
        json += "\"},\"payload\":{\"status\":\"".utf8
        status.appendJSONEscaped(to: &json)
        json += "\"},\"user_id\":\(createdBy),\"ts\":\"\(Timestamp.withZone(milliseconds))\"".utf8
        return json
    }
}
