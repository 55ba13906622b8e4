import Usher

/// For whoever does what the Bots API does without a node.
public enum BotsAnswer {
    /// The sentence that the API would answer with.
    public static func detail(of refusal: BotRefusal) -> String {
        switch refusal {
        case .failed(let error), .unavailable(let error): "\(error)"
        default: APIError(refusal).detail
        }
    }
}

/// The error table of the Bots API, beside what many endpoints have in common.
extension DescribedError {
    static let noBot = DescribedError(
        .noBot, "No active bot found for the specified meeting.")
    static let noWorkspace = DescribedError(.unknownWorkspace, "The workspace of the API key no longer exists.")
    static let contended = DescribedError(.contended, "The meeting is changing too fast. Nothing was done.")
    static let limitReached = DescribedError(
        .limitReached(10), "The workspace has reached its maximum of concurrent bots.")
    static let roomTaken = DescribedError(
        .roomTaken(number: 123),
        "A bot is in the meeting already, or on its way to it; `meeting_id` is the number of its meeting.")
    static let duplicate = DescribedError(
        .duplicate(number: 123),
        "A meeting with this `deduplication_key` has not ended; `meeting_id` is its number.")
    static let invalidID = DescribedError(
        .invalidID("native_meeting_id must be a Google Meet code like abc-defg-hij."),
        "The meeting ID format is invalid for the specified platform.")
    static let wrongRoom = DescribedError.invalid(
        "A member of the path, the query or the body is wrong.", field: "platform",
        "must be one of google_meet, teams, zoom")

    static let unknownBotMeeting = DescribedError(
        APIError(
            404, title: "Meeting not found", "There is no such meeting in this workspace. GET /meetings lists them."),
        "There is no such meeting in the key's workspace.")
    /// Nothing of the request was changed.
    static let notesTooLarge = DescribedError(
        .invalid(
            "data",
            "would have more than \(Meetings.maximumNoteBytes) bytes with what the meeting has already: shorten it"
        ),
        "The meeting would have too much of it.")
    static let notOver = DescribedError(
        .notOver(number: 123),
        "A bot is in the meeting or on its way to it, or its transcript is being collected.")

    static let notPlanned = DescribedError(
        .notPlanned(number: 123),
        "A bot was sent to the meeting, or it was cancelled: there is nothing planned any more.")

    static let plannedAlready = DescribedError(
        .plannedAlready(number: 123), "The room has a planned meeting at that very time; `meeting_id` is its number.")

    fileprivate init(_ refusal: BotRefusal, _ meaning: String) {
        self.init(APIError(refusal), meaning)
    }
}

extension APIError {
    /// Seconds after which a refused request may try again: a bot that is told to leave is gone by then.
    private static let retryAfterLimit = 30

    init(_ refusal: BotRefusal) {
        switch refusal {
        case .limitReached(let limit):
            self.init(
                429, title: "Too many concurrent bots",
                "This workspace has as many bots at once as it may have: \(limit). Stop one, or wait until one has left.",
                retryAfterSeconds: Self.retryAfterLimit)
        case .quota(let refusal): self.init(refusal)
        case .noBot:
            self.init(
                404, title: "Bot not found",
                "There is no active bot for this meeting. GET /bots/status lists those that there are.")
        case .duplicate: self = .duplicate(number: nil)
        case .roomTaken: self.init(409, "A bot is in this meeting already, or on its way to it.")
        case .noPasscode:
            self = .invalidID("MS Teams meetings need their passcode: send passcode, or a meeting_url that carries it.")
        case .contradiction(let problem): self.init(problem)
        case .roleTooLow: self.init(403, "This needs a higher role in the workspace.")
        case .unknownWorkspace: self.init(404, "The workspace of this API key no longer exists.")
        case .contended:
            self.init(
                503, "This meeting is changing too fast. Nothing was done; retry in a few seconds.",
                retryAfterSeconds: 2)
        case .unavailable(let error): self = .unavailable(cause: error)
        case .failed(let error): self.init(error)
        }
    }

    /// 409 with the meeting whose bot has the room.
    static func roomTaken(number: Int?) -> APIError {
        APIError(
            409, title: "Bot already in meeting",
            "A bot is in this meeting already, or on its way to it\(number.map { ": see meeting \($0)" } ?? ""). "
                + "Stop it first if you want a new one.", meetingNumber: number)
    }

    /// 409 with the meeting that has the deduplication key.
    static func duplicate(number: Int?) -> APIError {
        APIError(
            409, title: "Duplicate meeting",
            "A meeting with this deduplication_key has not ended\(number.map { ": see meeting \($0)" } ?? ""). "
                + "Stop it first, or use another key.", meetingNumber: number)
    }

    static func invalidID(_ detail: String) -> APIError {
        APIError(400, title: "Invalid meeting ID format", detail)
    }

    static func plannedAlready(number: Int?) -> APIError {
        plannedAlready(see: number.map { String($0) }, number: number)
    }

    /// - Parameters:
    ///   - meeting: what the API calls the meeting.
    ///   - number: beside it, for the Bots API.
    static func plannedAlready(
        see meeting: String?, number: Int? = nil, parameters: KeyValuePairs<String, String> = [:]
    ) -> APIError {
        APIError(
            409, title: "Meeting planned already",
            "A meeting in this room is planned for that very time\(meeting.map { ": see meeting \($0)" } ?? "").",
            parameters: parameters, meetingNumber: number)
    }

    static func notPlanned(number: Int) -> APIError {
        APIError(
            409, title: "Meeting not planned",
            "A bot was sent to this meeting already, or it was cancelled. Plan another one.", meetingNumber: number)
    }

    static func notOver(number: Int) -> APIError {
        APIError(
            409, title: "Meeting not over",
            "A bot is in this meeting or on its way to it, or its transcript is being collected. Stop the bot "
                + "and wait until the meeting is completed.", meetingNumber: number)
    }
}

extension BotRefusal: AnsweredError {
    func answer(isRead: Bool) -> APIError { APIError(self) }
}
