import Usher

/// What the Bots API takes of a bot.
enum BotMembers {
    static let name = Form<String>.text(100)

    /// A language's code such as `en` or `zh-TW`, in the shape of RFC 5646, section 2.1: which ones are understood is
    /// the transcription's affair.
    static let language = Form<String>.text(35).map { text in
        let parts = text.utf8.split(whereSeparator: { "-_".utf8.contains($0) })
        let isSound =
            parts.map(\.count).reduce(parts.count - 1, +) == text.utf8.count && (2...3).contains(parts[0].count)
            && parts.allSatisfy { (1...8).contains($0.count) && $0.allSatisfy(isLetterOrDigit) }
            && !parts[0].contains { $0 < UInt8(ascii: "A") }
        guard isSound else { throw FormError(languageProblem) }
        return text
    }
    .described(as: Schema.string(2...35, pattern: "^[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8})*$"))

    static let languageProblem = "must be a language code such as en or zh-TW"

    static let task = Form<String>.text(40).choice(["transcribe", "translate"])

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        byte < 0x80 && (Character(Unicode.Scalar(byte)).isLetter || Character(Unicode.Scalar(byte)).isNumber)
    }

    // MARK: When it leaves by itself

    /// `automatic_leave` (docs/bot-wire.md, "Requests for a bot"): each time has two names. All members are wishes that
    /// a bot would have to keep, so that one which is not known is refused.
    static let automaticLeave = Form<BotOptions.AutomaticLeave>.object(
        time("waiting_room_timeout", "When nobody lets it in.", or: "max_wait_for_admission"),
        time("no_one_joined_timeout", "When nobody else comes."),
        time("everyone_left_timeout", "When everybody else has left.", or: "max_time_left_alone")
    ) { BotOptions.AutomaticLeave(waitingRoomTimeout: $0, noOneJoinedTimeout: $1, everyoneLeftTimeout: $2) }
    .refusingOthers { name in
        // Of what clients of this field send, it is the one that bots can't be told.
        name == "max_bot_time"
            ? FormError("is not there yet: leave it out").inside(member: name)
            : FormError("has a member that is not known")
    }

    private static let milliseconds = Form<Int>(schema: .integer(BotOptions.AutomaticLeave.bounds)) { fragment in
        guard let time = fragment.integer, BotOptions.AutomaticLeave.bounds.contains(time) else {
            throw FormError("\(BotOptions.AutomaticLeave.bounds.problem) milliseconds")
        }
        return time
    }

    private static func time(_ name: String, _ meaning: String, or other: String? = nil) -> Member<Int?> {
        let time = Member<Int?>.optional(name, milliseconds, meaning)
        guard let other else { return time }
        return .group(time, .optional(other, milliseconds, "The same.")) { first, second in
            guard first == nil || second == nil || first == second else {
                throw FormError("does not agree with \(name)").inside(member: other)
            }
            return first ?? second
        }
    }
}

/// The members by which a request names a meeting; each API says its own of them.
enum MeetingMembers {
    /// What people paste has line ends around it; its length is the link's own to bound.
    static func url(_ meaning: String = "") -> Member<String?> {
        .optional("meeting_url", .string.described(as: .string(0...2_048)), meaning)
    }

    static func platform(_ meaning: String = "") -> Member<Platform?> {
        .optional("platform", Form<String>.text(40).choice(Platform.self), meaning)
    }

    static func nativeID(_ meaning: String) -> Member<String?> { .optional("native_meeting_id", .string, meaning) }

    static let passcode = Member<String?>.optional("passcode", .text(100))

    static func teamsHost(_ meaning: String) -> Member<String?> {
        .optional("teams_base_host", .text(253).described(as: .choice(MeetingLink.teamsHosts)), meaning)
    }
}

extension APIError {
    init(_ problem: MeetingReference.Problem) {
        self = .invalid(problem.member.rawValue, problem.reason)
    }
}
