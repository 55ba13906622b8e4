import Usher

/// The body of `POST /bots` (Bots API, "Create Bot"). Unknown members are ignored, but for `NotYetThere.members`.
struct BotRequestBody: Decodable {
    let request: BotRequest

    enum CodingKeys: String, CodingKey {
        case botName = "bot_name"
        case language, task
    }

    /// - Throws: `APIError` 422 that names the field, or 400 for an id that is not valid for its platform.
    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let botName = try container.text(.botName, maximum: 100)
        let language = try container.language(.language)
        let task = try container.task(.task)
        let options = try BotOptions(from: decoder)
        try NotYetThere.refuse(NotYetThere.members, in: decoder)
        let link = try Self.link(try MeetingReference(from: decoder))
        request = BotRequest(link: link, botName: botName, language: language, task: task, options: options)
    }

    private static func link(_ reference: MeetingReference) throws -> MeetingLink {
        let link: MeetingLink
        do {
            link = try reference.link()
        } catch  where error.isNoID {
            throw invalidID("native_meeting_id \(error.reason).")
        } catch {
            throw APIError(error)
        }
        guard link.passcode != nil || !link.needsPasscode else {
            throw invalidID(
                "MS Teams meetings need their passcode: send passcode, or a meeting_url that carries it.")
        }
        return link
    }

    static func invalidID(_ detail: String) -> APIError {
        APIError(400, title: "Invalid meeting ID format", detail)
    }
}

/// The body of `PUT /bots/{platform}/{native_meeting_id}/config` ("Update Bot Configuration").
struct BotConfigurationBody: Decodable {
    let botName: String?
    let language: String?
    let task: String?

    enum CodingKeys: String, CodingKey {
        case botName = "bot_name"
        case language, task
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        botName = try container.text(.botName, maximum: 100)
        language = try container.language(.language)
        task = try container.task(.task)
        guard botName != nil || language != nil || task != nil else {
            throw APIError.invalid("body", "must have at least one of language, task, bot_name")
        }
    }

    /// The fields of the record.
    var changes: [String: String] {
        var changes: [String: String] = [:]
        changes["bot_name"] = botName
        changes["language"] = language
        changes["task"] = task
        return changes
    }

    /// The command on the bot's wire (docs/bot-wire.md, "Commands"), which knows no name; nil if nothing of it is the
    /// bot's.
    var command: String? {
        guard language != nil || task != nil else { return nil }
        var command = JSONText()
        command.add("action", "reconfigure")
        if let language { command.add("language", language) }
        if let task { command.add("task", task) }
        return command.closed
    }
}

extension KeyedDecodingContainer {
    /// A language's code such as `en` or `zh-TW`, in the shape of RFC 5646, section 2.1: which ones are understood is
    /// the transcription's affair. Nil if it is absent or null.
    fileprivate func language(_ key: Key) throws -> String? {
        guard let text = try text(key, maximum: 35) else { return nil }
        let parts = text.utf8.split(whereSeparator: { "-_".utf8.contains($0) })
        let isSound =
            parts.map(\.count).reduce(parts.count - 1, +) == text.utf8.count && (2...3).contains(parts[0].count)
            && parts.allSatisfy { (1...8).contains($0.count) && $0.allSatisfy(isLetterOrDigit) }
            && !parts[0].contains { $0 < UInt8(ascii: "A") }
        guard isSound else { throw APIError.invalid(key.stringValue, "must be a language code such as en or zh-TW") }
        return text
    }

    private func isLetterOrDigit(_ byte: UInt8) -> Bool {
        byte < 0x80 && (Character(Unicode.Scalar(byte)).isLetter || Character(Unicode.Scalar(byte)).isNumber)
    }

    fileprivate func task(_ key: Key) throws -> String? {
        guard let text = try text(key, maximum: 40) else { return nil }
        guard ["transcribe", "translate"].contains(text) else {
            throw APIError.invalid(key.stringValue, "must be transcribe or translate")
        }
        return text
    }
}

extension Platform {
    /// - Throws: `APIError` 422 for another name.
    init(named name: String) throws {
        guard let platform = Platform(rawValue: name) else {
            throw APIError.invalid(
                "platform", "must be one of \(Platform.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        self = platform
    }
}
