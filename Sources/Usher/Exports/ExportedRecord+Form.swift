import Redis

/// What an export may have: others wrote its file, maybe, and what it says becomes keys and records.
extension ExportedRecord {
    private static let maximumFields = 1_000
    private static let maximumFieldBytes = 512
    /// Of all its texts: while a script writes them Redis answers nobody. An export writes fewer at once.
    private static let maximumBytes = 1 << 20
    /// More than a text and its words take (`Segment`), whatever they are written with.
    private static let maximumSegmentBytes = 786_432
    private static let maximumEvents = 120
    private static let eventParts = 7
    private static let maximumNumber = 1 << 53
    /// What only nodes write, for as long as something is under way.
    private static let transient: Set = [
        "importing", "moving", "archived", "archived_participants", "archived_languages", "lease_end",
    ]

    /// What may be said beside the fields.
    private static func allowed(_ kind: Kind) -> Set<String> {
        switch kind {
        case .user: ["role"]
        case .segments: ["first"]
        case .leftOut: ["why"]
        case .meeting: ["ended_at", "analyzing_at", "held"]
        case .plan: ["due"]
        default: []
        }
    }

    /// Why it is none that a workspace may have, as the end of a sentence; nil if all is well.
    public func problem(in workspace: String) -> String? {
        guard bytes <= Self.maximumBytes else { return "is larger than one may be" }
        guard fields.count <= Self.maximumFields, fields.keys.allSatisfy({ $0.utf8.count <= Self.maximumFieldBytes })
        else { return "has more fields, or longer names, than there may be" }
        guard Set(with.keys).isSubset(of: Self.allowed(kind)) else { return "has a member that is not known" }
        guard with.filter({ $0.key.hasSuffix("_at") || $0.key == "due" }).values.allSatisfy(Self.isTime) else {
            return "has a time that is none"
        }
        guard kind == .meeting || events.isEmpty else { return "has events, which only meetings have" }
        switch kind {
        case .names, .segments, .leftOut, .occurrences, .plan: return problemOfList
        default:
            guard fields.keys.allSatisfy(Self.isFieldName) else { return "has a field whose name is none" }
            guard Self.transient.isDisjoint(with: fields.keys) else {
                return "has a field that records have only for a while"
            }
            return problemOfRecord(in: workspace)
        }
    }

    private var bytes: Int {
        [with, fields].joined().reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
            + events.joined().reduce(0) { $0 + $1.utf8.count }
    }

    private var problemOfList: String? {
        let isSound =
            switch kind {
            case .names: id.isEmpty && fields.allSatisfy { Self.isRoom($0.key) && Self.isRoom($0.value) }
            case .segments: Identifier.isHex(id) && fields.allSatisfy { Self.isSegment(Array($0.key.utf8), $0.value) }
            case .leftOut: Identifier.isHex(id)
            case .plan: Identifier.isHex(id) && with["due"] != nil && fields.isEmpty
            default: FeedCalendar.isID(id)
            }
        return isSound ? nil : "is not of its form"
    }

    private func problemOfRecord(in workspace: String) -> String? {
        let ownWorkspace = kind == .workspace ? fields["id"] : fields["workspace_id"]
        let isOfWorkspace = ownWorkspace == workspace || [.user, .webhook, .calendar].contains(kind)
        guard isOfWorkspace else { return "is of another workspace" }
        guard kind == .key || fields["id"] == id else { return "has another id than its fields" }
        guard let createdAt = fields["created_at"], Self.isTime(createdAt) else {
            return "does not say when it was made"
        }
        let isSound =
            switch kind {
            case .workspace: (try? Workspace(fields)) != nil
            case .user: isUser
            case .webhook: Webhook.isID(id) && Webhook(fields, workspace: workspace) != nil
            case .calendar: FeedCalendar(fields, workspace: workspace).map { Self.isNumber($0.userID) } ?? false
            case .key: isKey
            default: true
            }
        guard isSound else { return "is not of its form" }
        return kind == .meeting ? problemOfMeeting : nil
    }

    private var isUser: Bool {
        guard let email = fields["email"], let own = fields["workspace_id"] else { return false }
        return Self.isNumber(id) && Administration.isEmail(email) && NewUser.comparable(email) == email
            && Identifier.isUUID(own) && with["role"].map { Role(rawValue: $0) != nil } ?? true
    }

    private var isKey: Bool {
        guard let key = try? APIKey(fields) else { return false }
        return Identifier.isSHA256(id) && Identifier.isHex(key.id) && fields["expires_at"].map(Self.isTime) ?? true
    }

    private var problemOfMeeting: String? {
        guard Identifier.isHex(id), let meeting = try? Meeting(fields), fields["number"].map(Self.isNumber) ?? false,
            Self.isRoom(meeting.room.description), (meeting.number("bytes") ?? 0) >= 0
        else { return "is not of its form" }
        guard let status = MeetingStatus(rawValue: meeting.status), ![.live, .stopping].contains(status),
            meeting.botStatus.map({ BotStatus(rawValue: $0)?.isRunning == false }) ?? true
        else { return "is not over, nor planned" }
        guard status != .analyzing || with["analyzing_at"] != nil else { return "does not say when it ended" }
        guard events.count <= Self.maximumEvents, events.allSatisfy({ $0.count == Self.eventParts }) else {
            return "has more events, or others, than there may be"
        }
        return nil
    }

    /// Whether it is one that may be read by anybody, and is no larger than one may be: what is of no form, nobody reads.
    static func isSegment(_ field: [UInt8], _ value: String) -> Bool {
        field.count <= maximumFieldBytes && value.utf8.count <= maximumSegmentBytes
            && StoredSegment(field: field, value: value, sessions: Sessions(nil))?.isSound ?? true
    }

    private static func isFieldName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5f }
    }

    /// A room becomes a part of keys.
    private static func isRoom(_ text: String) -> Bool {
        text.utf8.count <= maximumFieldBytes && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f }
            && Room(text).map { !$0.nativeID.isEmpty } ?? false
    }

    private static func isNumber(_ text: String) -> Bool {
        Int(text).map { (1...maximumNumber).contains($0) && String($0) == text } ?? false
    }

    private static func isTime(_ text: String) -> Bool {
        Int(text).map { (0...maximumNumber).contains($0) } ?? false
    }
}
