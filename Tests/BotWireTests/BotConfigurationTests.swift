import Foundation
import HTTP
import Redis
import TestTurns
import Testing

@testable import BotWire

@Suite(.takesTurns) struct BotConfigurationTests {
    /// Every field of the wire, each with a value of its type, as JSON.
    static let everyField = [
        "platform": "\"google_meet\"", "meetingUrl": "\"https://meet.google.com/abc-defg-hij\"", "botName": "\"Usher\"",
        "redisUrl": "\"redis://bot:p%40ss@redis:6380/2\"", "passcode": "\"1234\"",
        "nativeMeetingId": "\"abc-defg-hij\"", "token": "\"t\"", "connectionId": "\"c-1\"", "meeting_id": "17",
        "container_name": "\"bot-17\"", "meetingApiCallbackUrl": "\"http://node:8080/internal/bots/c-1/status\"",
        "internalSecret": "\"secret\"", "language": "\"es\"", "task": "\"translate\"",
        "allowedLanguages": "[\"es\",\"en\"]", "transcribeEnabled": "false", "transcriptionTier": "\"deferred\"",
        "transcriptionServiceUrl": "\"http://whisper\"", "transcriptionServiceToken": "\"t\"",
        "transcriptionModel": "\"large\"", "recordingEnabled": "true", "captureModes": "[\"audio\"]",
        "recordingUploadUrl": "\"http://files\"",
        "automaticLeave":
            "{\"waitingRoomTimeout\":300000,\"noOneJoinedTimeout\":120000,\"everyoneLeftTimeout\":60000}",
        "reconnectionIntervalMs": "1000", "voiceAgentEnabled": "false",
    ]
    static let required = ["platform", "meetingUrl", "botName", "redisUrl"]

    static func json(_ fields: [String: String]) -> String {
        "{" + fields.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}"
    }

    static func message(_ json: String) -> String? {
        do throws(BotConfiguration.Invalid) {
            _ = try BotConfiguration(json: json)
            return nil
        } catch { return error.description }
    }

    @Test func everyFieldOfTheWireIsTaken() throws {
        let configuration = try BotConfiguration(json: Self.json(Self.everyField))
        #expect(configuration.platform == "google_meet")
        #expect(configuration.meetingURL == "https://meet.google.com/abc-defg-hij")
        #expect(configuration.botName == "Usher")
        #expect(configuration.redisURL == (try RedisURL("redis://bot:p%40ss@redis:6380/2")))
        #expect(configuration.nativeMeetingID == "abc-defg-hij")
        #expect(configuration.connectionID == "c-1")
        #expect(configuration.meetingNumber == 17)
        #expect(configuration.containerName == "bot-17")
        #expect(configuration.callbackURL == (try HTTPURL("http://node:8080/internal/bots/c-1/status")))
        #expect(configuration.internalSecret == "secret")
        #expect(configuration.language == "es")
        #expect(configuration.task == .translate)
        #expect(!configuration.isTranscribing)
        #expect(configuration.waitingRoomTimeoutMilliseconds == 300_000)
        #expect(configuration.noOneJoinedTimeoutMilliseconds == 120_000)
        #expect(configuration.room == "google_meet:abc-defg-hij")
    }

    @Test func whatIsNotRequiredMayBeAbsent() throws {
        let configuration = try BotConfiguration(
            json: Self.json(Self.everyField.filter { Self.required.contains($0.key) }))
        #expect(configuration.connectionID == nil && configuration.callbackURL == nil && configuration.language == nil)
        #expect(configuration.isTranscribing)
        #expect(configuration.waitingRoomTimeoutMilliseconds == nil)
    }

    @Test(arguments: required) func whatIsRequiredMustBeThere(field: String) {
        var fields = Self.everyField
        fields[field] = nil
        #expect(Self.message(Self.json(fields)) == "VEXA_BOT_CONFIG: \(field) is required.")
    }

    @Test(arguments: ["meetingID", "bot_id", "Platform", "epoch", "automatic_leave"])
    func aFieldThatTheWireDoesNotHaveIsRefused(field: String) {
        var fields = Self.everyField
        fields[field] = "\"x\""
        #expect(Self.message(Self.json(fields)) == "VEXA_BOT_CONFIG has the unknown field \"\(field)\".")
        fields[field] = nil
        fields["automaticLeave"] = "{\"maxBotTime\":1}"
        #expect(
            Self.message(Self.json(fields)) == "VEXA_BOT_CONFIG has the unknown field \"automaticLeave.maxBotTime\".")
    }

    /// A value of another type, null among them, names its field and is not shown.
    @Test(arguments: everyField.keys.sorted()) func aValueOfAnotherTypeIsRefused(field: String) throws {
        for value in ["null", "[1]", "{\"leak\":1}", "1.5", "\"\"", "-1", "\"leak\\n\""] {
            var fields = Self.everyField
            fields[field] = value
            let message = Self.message(Self.json(fields))
            if message == nil { Issue.record("\(field): \(value) was taken") }
            if field == "automaticLeave", message?.contains("unknown field") == true { continue }
            #expect(message?.contains(field) == true && message?.contains("leak") == false, "\(message ?? "")")
        }
    }

    @Test(
        arguments: [
            ("platform", "\"webex\"", "must be one of google_meet, teams, zoom"),
            ("redisUrl", "\"http://redis\"", "must be the URL of a Redis"),
            ("meetingApiCallbackUrl", "\"https://node\"", "must be an http URL"),
            ("connectionId", "\"a b\"", "must have no spaces and be of ASCII"),
            ("meeting_id", "0", "must be at least 1"), ("meeting_id", "\"17\"", "must be an integer"),
            ("task", "\"sing\"", "must be one of transcribe, translate"),
            ("transcriptionTier", "\"fast\"", "must be one of realtime, deferred"),
            ("automaticLeave", "[]", "must be a JSON object"), ("language", "\"\"", "must not be empty"),
        ])
    func aValueThatCannotBeIsRefused(field: String, value: String, fault: String) {
        var fields = Self.everyField
        fields[field] = value
        let message = Self.message(Self.json(fields)) ?? ""
        #expect(message.contains(field) && message.contains(fault), "\(message)")
    }

    @Test func reportsNeedAnIdToReportBy() {
        var fields = Self.everyField
        fields["connectionId"] = nil
        #expect(Self.message(Self.json(fields))?.contains("connectionId is required where") == true)
    }

    @Test(arguments: [
        "", "nonsense", "[]", "\"x\"", "5", "{", "null", "{\"platform\":\"" + String(repeating: "x", count: 70_000),
    ])
    func anythingButAnObjectIsRefused(text: String) {
        #expect(Self.message(text) != nil)
    }
}
