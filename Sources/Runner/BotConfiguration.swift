import Log
import Usher

/// What a bot is told in its environment variable `VEXA_BOT_CONFIG` (docs/bot-wire.md, "Configuration").
struct BotConfiguration {
    static let variable = "VEXA_BOT_CONFIG"

    /// How long a bot waits before it leaves by itself, in milliseconds.
    struct AutomaticLeave: Equatable, Sendable {
        var waitingRoomTimeout = 300_000
        var noOneJoinedTimeout = 600_000
        var everyoneLeftTimeout = 120_000

        /// What the request for the bot said goes before.
        func replaced(by asked: BotOptions.AutomaticLeave) -> AutomaticLeave {
            AutomaticLeave(
                waitingRoomTimeout: asked.waitingRoomTimeout ?? waitingRoomTimeout,
                noOneJoinedTimeout: asked.noOneJoinedTimeout ?? noOneJoinedTimeout,
                everyoneLeftTimeout: asked.everyoneLeftTimeout ?? everyoneLeftTimeout)
        }
    }

    var meeting: Meeting
    var botID: String
    var containerName: String
    var secret: String
    /// The Redis that the bot is to use.
    var redisURL: String
    /// Where the nodes are, as the bot reaches them, without a slash at its end.
    var apiURL: String
    /// The name of a bot that was asked for without one.
    var defaultName: String
    /// What the runner's bots do that were asked for without saying.
    var automaticLeave: AutomaticLeave
    /// nil: the bot is told of none, and stays silent if it has none of its own.
    var transcription: TranscriptionService?
    /// Where it sends what it records; nil: not by this.
    var recordingUploadURL: String?
    var recordingUploadToken: String?

    /// A JSON object (RFC 8259) with fields of the wire and no others: bots refuse unknown ones at their start.
    var json: String {
        var fields: [(String, String)] = []
        func add(_ name: String, text: String?) {
            if let text, !text.isEmpty { fields.append((name, "\"\(text.jsonEscaped)\"")) }
        }
        add("platform", text: meeting.room.platform.rawValue)
        add("meetingUrl", text: meeting.url)
        add("botName", text: meeting.fields["bot_name"] ?? defaultName)
        add("redisUrl", text: redisURL)
        add("passcode", text: meeting.fields["passcode"])
        add("nativeMeetingId", text: meeting.room.platformID)
        add("connectionId", text: botID)
        fields.append(("meeting_id", String(meeting.number)))
        add("container_name", text: containerName)
        add("meetingApiCallbackUrl", text: "\(apiURL)/internal/bots/\(botID)/status")
        add("internalSecret", text: secret)
        add("language", text: meeting.language)
        add("task", text: meeting.fields["task"])
        fields.append(("transcribeEnabled", meeting.botOptions.transcribes == false ? "false" : "true"))
        if meeting.botOptions.records == true {
            fields.append(("recordingEnabled", "true"))
            add("recordingUploadUrl", text: recordingUploadURL)
            if recordingUploadURL != nil { add("token", text: recordingUploadToken) }
        }
        add("transcriptionTier", text: transcription?.tier)
        add("transcriptionServiceUrl", text: transcription?.url)
        add("transcriptionServiceToken", text: transcription?.token)
        add("transcriptionModel", text: transcription?.model)
        let timeouts = automaticLeave.replaced(by: meeting.botOptions.automaticLeave)
        fields.append(
            (
                "automaticLeave",
                "{\"waitingRoomTimeout\":\(timeouts.waitingRoomTimeout),"
                    + "\"noOneJoinedTimeout\":\(timeouts.noOneJoinedTimeout),"
                    + "\"everyoneLeftTimeout\":\(timeouts.everyoneLeftTimeout)}"
            ))
        return "{" + fields.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}"
    }
}

/// The commands that a runner publishes to its bots (docs/bot-wire.md, "Commands").
enum BotCommand {
    static let leave = "{\"action\":\"leave\"}"

    static func reconfigure(_ wanted: Wanted) -> String {
        var text = "{\"action\":\"reconfigure\""
        if let language = wanted.language { text += ",\"language\":\"\(language.jsonEscaped)\"" }
        if let task = wanted.task { text += ",\"task\":\"\(task.jsonEscaped)\"" }
        return text + "}"
    }
}
