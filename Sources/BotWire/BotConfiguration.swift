import HTTP
import JSON
import Redis

/// What a bot is told at its start, in the environment variable `VEXA_BOT_CONFIG` (docs/bot-wire.md, "Configuration"):
/// the parts that our bots have a use for. The others are checked and let go.
public struct BotConfiguration: Equatable, Sendable {
    /// What is wrong with a configuration: one sentence that names the field and never shows a value.
    public struct Invalid: Error, Equatable, CustomStringConvertible {
        public let description: String

        public init(description: String) {
            self.description = description
        }
    }

    /// The name of the environment variable.
    public static let variable = "VEXA_BOT_CONFIG"
    private static let maximumBytes = 65_536

    public enum Task: String, Sendable {
        case transcribe, translate
    }

    /// google_meet, teams or zoom.
    public var platform: String
    public var meetingURL: String
    public var botName: String
    public var redisURL: RedisURL
    public var nativeMeetingID: String?
    public var passcode: String?
    /// The session's id (`connectionId`): without white space, so that it can stand in a line of text.
    public var connectionID: String?
    /// `meeting_id`: without it there are no commands and no transcript.
    public var meetingNumber: Int?
    public var containerName: String?
    /// `meetingApiCallbackUrl`: without it nothing is reported.
    public var callbackURL: HTTPURL?
    public var internalSecret: String?
    public var language: String?
    public var task: Task?
    public var isTranscribing: Bool
    /// `recordingEnabled`: whether it keeps what is to be heard.
    public var isRecording: Bool
    /// `recordingUploadUrl`: where that is sent, with `token` if there is one.
    public var recordingUploadURL: String?
    public var token: String?
    /// How long it waits in the lobby before it gives up, in ms; nil for ever.
    public var waitingRoomTimeoutMilliseconds: Int?
    /// How long it waits for anybody else in the room, in ms; nil for ever.
    public var noOneJoinedTimeoutMilliseconds: Int?
    /// How long it stays once all others have left, in ms; nil for ever.
    public var everyoneLeftTimeoutMilliseconds: Int?
    /// `reconnectionIntervalMs`: how long it waits for a lost connection to come back, in ms; nil is the bot's to choose.
    public var reconnectionMilliseconds: Int?
    /// The speech service: where to send what is said, the secret it asks for and the model to name. Without an address
    /// nothing is transcribed.
    public var transcriptionServiceURL: String?
    public var transcriptionServiceToken: String?
    public var transcriptionModel: String?

    /// - Throws: `Invalid` if the text is not a JSON object of the wire's fields. Fields that the wire does not have are
    ///   refused, and so is null: what is not known is left out.
    public init(json: String) throws(Invalid) {
        guard json.utf8.count <= Self.maximumBytes else {
            throw Invalid(description: "\(Self.variable) has more than \(Self.maximumBytes) bytes.")
        }
        do {
            self = try BotConfiguration(json: Array(json.utf8), limits: JSONLimits())
        } catch let invalid as Invalid {
            throw invalid
        } catch {
            throw Invalid(description: "\(Self.variable) is not a JSON object.")
        }
    }

    /// How the room is named in files: platform and id, or the meeting's address where there is no id.
    public var room: String { "\(platform):\(nativeMeetingID ?? meetingURL)" }
}

extension BotConfiguration: Decodable {
    private enum Field: String, CodingKey, CaseIterable {
        case platform, meetingUrl, botName, redisUrl
        case passcode, nativeMeetingId, token, connectionId
        case containerName = "container_name"
        case meetingID = "meeting_id"
        case meetingApiCallbackUrl, internalSecret, language, task, allowedLanguages
        case transcribeEnabled, transcriptionTier, transcriptionServiceUrl, transcriptionServiceToken
        case transcriptionModel, recordingEnabled, captureModes, recordingUploadUrl
        case automaticLeave, reconnectionIntervalMs, voiceAgentEnabled
    }

    private enum AutomaticLeaveField: String, CodingKey, CaseIterable {
        case waitingRoomTimeout, noOneJoinedTimeout, everyoneLeftTimeout
    }

    public init(from decoder: any Decoder) throws {
        let fields = try Fields<Field>(decoder, in: "")
        platform = try fields.choice(.platform, ["google_meet", "teams", "zoom"], isRequired: true) ?? ""
        meetingURL = try fields.text(.meetingUrl, isRequired: true) ?? ""
        botName = try fields.text(.botName, isRequired: true) ?? ""
        let redisText = try fields.text(.redisUrl, isRequired: true) ?? ""
        guard let redis = try? RedisURL(redisText) else {
            throw fields.invalid(.redisUrl, "must be the URL of a Redis")
        }
        redisURL = redis
        nativeMeetingID = try fields.text(.nativeMeetingId)
        passcode = try fields.text(.passcode)
        connectionID = try fields.text(.connectionId)
        guard connectionID?.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) != false else {
            throw fields.invalid(.connectionId, "must have no spaces and be of ASCII")
        }
        meetingNumber = try fields.integer(.meetingID, from: 1)
        containerName = try fields.text(.containerName)
        callbackURL = try fields.url(.meetingApiCallbackUrl)
        guard callbackURL == nil || connectionID != nil else {
            throw fields.invalid(.connectionId, "is required where there is a meetingApiCallbackUrl")
        }
        internalSecret = try fields.text(.internalSecret)
        language = try fields.text(.language)
        task = try fields.choice(.task, ["transcribe", "translate"]).flatMap(Task.init)
        isTranscribing = try fields.flag(.transcribeEnabled) ?? true
        isRecording = try fields.flag(.recordingEnabled) ?? false
        recordingUploadURL = try fields.text(.recordingUploadUrl)
        token = try fields.text(.token)
        try Self.checkTheRest(fields)
        let leave = try fields.object(.automaticLeave).map {
            try Fields<AutomaticLeaveField>($0, in: Field.automaticLeave.rawValue + ".")
        }
        waitingRoomTimeoutMilliseconds = try leave?.integer(.waitingRoomTimeout, from: 0)
        noOneJoinedTimeoutMilliseconds = try leave?.integer(.noOneJoinedTimeout, from: 0)
        everyoneLeftTimeoutMilliseconds = try leave?.integer(.everyoneLeftTimeout, from: 0)
        reconnectionMilliseconds = try fields.integer(.reconnectionIntervalMs, from: 0)
        transcriptionServiceURL = try fields.text(.transcriptionServiceUrl)
        transcriptionServiceToken = try fields.text(.transcriptionServiceToken)
        transcriptionModel = try fields.text(.transcriptionModel)
    }

    /// What none of our bots needs: refused all the same if it is not of the wire's type.
    private static func checkTheRest(_ fields: Fields<Field>) throws {
        for field in [.allowedLanguages, .captureModes] as [Field] { try fields.checkTexts(field) }
        _ = try fields.flag(.voiceAgentEnabled)
        _ = try fields.choice(.transcriptionTier, ["realtime", "deferred"])
    }
}

/// The fields of a JSON object of which all names are known, read one by one with errors that name them.
private struct Fields<Field: CodingKey & CaseIterable & RawRepresentable> where Field.RawValue == String {
    private struct AnyField: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    private let container: KeyedDecodingContainer<Field>
    private let prefix: String

    /// - Parameter prefix: what stands before the names in messages.
    init(_ decoder: any Decoder, in prefix: String) throws {
        self.prefix = prefix
        guard let any = try? decoder.container(keyedBy: AnyField.self) else {
            throw BotConfiguration.Invalid(
                description: "\(BotConfiguration.variable)\(prefix.isEmpty ? "" : ": \(prefix.dropLast())") "
                    + "must be a JSON object.")
        }
        container = try decoder.container(keyedBy: Field.self)
        let known = Set(Field.allCases.map(\.rawValue))
        if let unknown = any.allKeys.map(\.stringValue).filter({ !known.contains($0) }).min() {
            // Of bounded length and without control characters, as it comes from outside and goes to a terminal.
            let name = unknown.unicodeScalars.prefix(64).map { $0.value < 0x20 ? "?" : String($0) }.joined()
            throw BotConfiguration.Invalid(
                description: "\(BotConfiguration.variable) has the unknown field \"\(prefix)\(name)\".")
        }
    }

    func invalid(_ field: Field, _ fault: String) -> BotConfiguration.Invalid {
        BotConfiguration.Invalid(description: "\(BotConfiguration.variable): \(prefix)\(field.rawValue) \(fault).")
    }

    /// The value of a field, or nil if it is absent.
    private func value<Value: Decodable>(
        _ field: Field, _ type: Value.Type, _ title: String, isRequired: Bool = false
    ) throws -> Value? {
        guard container.contains(field) else {
            if isRequired { throw invalid(field, "is required") }
            return nil
        }
        guard let value = try? container.decode(type, forKey: field) else { throw invalid(field, "must be \(title)") }
        return value
    }

    /// A text that is not empty.
    func text(_ field: Field, isRequired: Bool = false) throws -> String? {
        let text = try value(field, String.self, "a string", isRequired: isRequired)
        guard text?.isEmpty != true, text?.unicodeScalars.contains(where: { $0.value < 0x20 }) != true else {
            throw invalid(field, "must not be empty or hold control characters")
        }
        return text
    }

    func choice(_ field: Field, _ allowed: [String], isRequired: Bool = false) throws -> String? {
        let text = try text(field, isRequired: isRequired)
        guard text.map(allowed.contains) != false else {
            throw invalid(field, "must be one of \(allowed.joined(separator: ", "))")
        }
        return text
    }

    func url(_ field: Field) throws -> HTTPURL? {
        guard let text = try text(field) else { return nil }
        guard let url = try? HTTPURL(text) else { throw invalid(field, "must be an http URL") }
        return url
    }

    func integer(_ field: Field, from minimum: Int) throws -> Int? {
        let number = try value(field, Int.self, "an integer")
        guard number.map({ $0 >= minimum }) != false else { throw invalid(field, "must be at least \(minimum)") }
        return number
    }

    func flag(_ field: Field) throws -> Bool? {
        try value(field, Bool.self, "true or false")
    }

    func checkTexts(_ field: Field) throws {
        _ = try value(field, [String].self, "a list of strings")
    }

    func object(_ field: Field) throws -> (any Decoder)? {
        container.contains(field) ? try container.superDecoder(forKey: field) : nil
    }
}
