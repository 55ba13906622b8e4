import Redis

/// What a bot is asked for with (Bots API, "Create Bot").
public struct BotRequest: Sendable {
    public var link: MeetingLink
    /// What the link was made of, where none was given: a plan that the bot is for has a better one.
    public var reference: MeetingReference?
    public var botName: String?
    public var language: String?
    public var task: String?
    public var options: BotOptions
    /// Refused while a meeting with the same one has not ended.
    public var deduplicationKey: String?

    public init(
        link: MeetingLink, madeOf reference: MeetingReference? = nil, botName: String? = nil, language: String? = nil,
        task: String? = nil, options: BotOptions = BotOptions(), deduplicationKey: String? = nil
    ) {
        self.link = link
        self.reference = reference
        self.botName = botName
        self.language = language
        self.task = task
        self.options = options
        self.deduplicationKey = deduplicationKey
    }
}

/// Why a bot is not sent, stopped or configured.
public enum BotRefusal: Error, Equatable, Sendable {
    /// A bot is in the room or on its way to it; the meeting that it is for, if it is known.
    case roomTaken(holder: String?)
    /// This meeting has the same deduplication key, and has not ended.
    case duplicate(of: String)
    /// Nobody gets in without a passcode, and neither the request nor a plan has one.
    case noPasscode
    /// What it says beside the room's id is not what the plan's link says.
    case contradiction(MeetingReference.Problem)
    /// The workspace has reached its limit.
    case limitReached(Int)
    /// The workspace's meetings have reached a limit of theirs.
    case quota(QuotaRefusal)
    /// No bot is in the room or on its way to it, or none that is active where it must be.
    case noBot
    case unknownWorkspace
    /// The caller has not the role that this needs.
    case roleTooLow
    /// The room's records kept changing; nothing was done.
    case contended
    /// Redis failed before anything was done.
    case unavailable(RedisError)
    /// Redis failed.
    case failed(RedisError)
}

extension BotRequest {
    /// Checks that a bot gets in by what is known of the meeting, and that nothing said of it contradicts its plan.
    func check(against plan: Bots.PlannedMeeting?) throws(BotRefusal) {
        guard link.passcode ?? plan?.passcode != nil || !link.needsPasscode else { throw .noPasscode }
        guard let reference, let plan, let url = plan.url else { return }
        do throws(MeetingReference.Problem) {
            try reference.check(against: url, passcode: plan.passcode)
        } catch {
            throw .contradiction(error)
        }
    }

    /// The fields of the record that it sets, each followed by its value. Of a plan's link nothing is lost where the request
    /// has none of its own.
    func recordFields(in room: RoomNames, of plan: Bots.PlannedMeeting?, createdBy user: String) -> [String] {
        var result = ["platform", room.room.platform.rawValue, "native_meeting_id", room.room.nativeID]
        if reference == nil || plan?.url == nil { result += ["meeting_url", link.url] }
        if !room.names.isEmpty { result += ["names", RoomNames.text(room.names)] }
        if plan == nil { result += ["created_by", user] }
        if let passcode = link.passcode { result += ["passcode", passcode] }
        if let botName { result += ["bot_name", botName] }
        if let language { result += ["language", language] }
        if let task { result += ["task", task] }
        for (name, value) in options.fields.sorted(by: { $0.key < $1.key }) {
            result += [name, value]
        }
        return result
    }
}
