import Foundation
import TestTurns
import Testing

@testable import Runner
@testable import Usher

/// What goes out on the bot's wire, field by field (docs/bot-wire.md, "Configuration").
@Suite(.takesTurns) struct BotConfigurationTests {
    private static let record = [
        "id": "m1", "number": "17", "workspace_id": "w1", "platform": "teams", "native_meeting_id": "9398850880426",
        "meeting_url": "https://teams.live.com/meet/9398850880426?p=P%22", "created_at": "1", "passcode": "P\"",
        "bot_name": "Naïve \"Bot\"\u{7}", "language": "es", "task": "translate", "notes": "not for bots",
    ]

    @Test func everyFieldIsTheWiresAndNoneIsMissing() throws {
        let object = try decoded(Self.record)
        #expect(
            Set(object.keys) == [
                "platform", "meetingUrl", "botName", "redisUrl", "passcode", "nativeMeetingId", "connectionId",
                "meeting_id", "container_name", "meetingApiCallbackUrl", "internalSecret", "language", "task",
                "transcribeEnabled", "automaticLeave",
            ])
        #expect(object["platform"] as? String == "teams")
        #expect(object["meetingUrl"] as? String == "https://teams.live.com/meet/9398850880426?p=P%22")
        #expect(object["botName"] as? String == "Naïve \"Bot\"\u{7}")
        #expect(object["redisUrl"] as? String == "redis://bot:pw@host:1/0")
        #expect(object["passcode"] as? String == "P\"")
        #expect(object["nativeMeetingId"] as? String == "9398850880426")
        #expect(object["connectionId"] as? String == "b1")
        #expect(object["meeting_id"] as? Int == 17)
        #expect(object["container_name"] as? String == "usher-b1")
        #expect(object["meetingApiCallbackUrl"] as? String == "http://api:8080/internal/bots/b1/status")
        #expect(object["internalSecret"] as? String == "s1")
        #expect(object["language"] as? String == "es")
        #expect(object["task"] as? String == "translate")
        #expect(object["transcribeEnabled"] as? Bool == true)
        #expect(
            object["automaticLeave"] as? [String: Int]
                == ["waitingRoomTimeout": 1, "noOneJoinedTimeout": 2, "everyoneLeftTimeout": 3])
    }

    @Test func whatIsNotKnownIsLeftOutAndTheNameHasADefault() throws {
        var record = Self.record
        for field in ["passcode", "bot_name", "language", "task"] { record[field] = nil }
        let object = try decoded(record)
        #expect(object["botName"] as? String == "Usher")
        for field in ["passcode", "language", "task"] { #expect(object[field] == nil) }
    }

    @Test func aSpeechServiceIsToldOf() throws {
        let full = try decoded(
            Self.record, TranscriptionService(url: "http://speech:1/v1", token: "t\"k", model: "m", tier: "deferred"))
        #expect(full["transcriptionServiceUrl"] as? String == "http://speech:1/v1")
        #expect(full["transcriptionServiceToken"] as? String == "t\"k")
        #expect(full["transcriptionModel"] as? String == "m")
        #expect(full["transcriptionTier"] as? String == "deferred")
        let plain = try decoded(Self.record, TranscriptionService(url: "http://speech:1/v1"))
        #expect(plain["transcriptionServiceUrl"] as? String == "http://speech:1/v1")
        for field in ["transcriptionServiceToken", "transcriptionModel", "transcriptionTier"] {
            #expect(plain[field] == nil)
        }
    }

    @Test func whatIsToBeRecordedIsToldOfWhereItIsAskedFor() throws {
        let place = (url: "https://sound:1/up", token: "t")
        for said in [nil, "false", "nonsense"] {
            var record = Self.record
            record["recording_enabled"] = said
            let object = try decoded(record, recordingAt: place)
            for field in ["recordingEnabled", "recordingUploadUrl", "token"] { #expect(object[field] == nil) }
        }
        let record = Self.record.merging(["recording_enabled": "true"]) { $1 }
        let object = try decoded(record, recordingAt: place)
        #expect(object["recordingEnabled"] as? Bool == true)
        #expect(object["recordingUploadUrl"] as? String == place.url && object["token"] as? String == "t")
        let folder = try decoded(record)
        #expect(folder["recordingEnabled"] as? Bool == true)
        #expect(folder["recordingUploadUrl"] == nil && folder["token"] == nil)
    }

    @Test func aSpeechServiceIsPrintedWithoutItsToken() {
        let service = TranscriptionService(url: "http://speech", token: "geheim")
        for text in ["\(service)", String(reflecting: service), "\([service])"] { #expect(!text.contains("geheim")) }
        var dumped = ""
        dump(service, to: &dumped)
        #expect(!dumped.contains("geheim"))
    }

    @Test func whatTheRequestSaidGoesBefore() throws {
        let said = [
            "transcribe_enabled": "false", "waiting_room_timeout_ms": "30000", "everyone_left_timeout_ms": "40000",
        ]
        let object = try decoded(Self.record.merging(said) { $1 })
        #expect(object["transcribeEnabled"] as? Bool == false)
        #expect(
            object["automaticLeave"] as? [String: Int]
                == ["waitingRoomTimeout": 30_000, "noOneJoinedTimeout": 2, "everyoneLeftTimeout": 40_000])
    }

    /// Operators can write there too.
    @Test(arguments: ["", "x", "-1", "0", "999", "86400001", "99999999999999999999"])
    func whatIsNoOptionIsPassedOver(_ value: String) throws {
        let said = ["transcribe_enabled": value, "waiting_room_timeout_ms": value]
        let object = try decoded(Self.record.merging(said) { $1 })
        #expect(object["transcribeEnabled"] as? Bool == true)
        #expect((object["automaticLeave"] as? [String: Int])?["waitingRoomTimeout"] == 1)
    }

    @Test func commandsHaveTheFieldsOfTheWire() throws {
        #expect(try object(BotCommand.leave) as? [String: String] == ["action": "leave"])
        let both = Wanted(
            leaves: false, configurationVersion: 1, language: "z\"h", task: "transcribe", botName: "N", wasInRoom: true)
        #expect(
            try object(BotCommand.reconfigure(both)) as? [String: String]
                == ["action": "reconfigure", "language": "z\"h", "task": "transcribe"])
        let none = Wanted(
            leaves: false, configurationVersion: 1, language: nil, task: nil, botName: "N", wasInRoom: true)
        #expect(try object(BotCommand.reconfigure(none)) as? [String: String] == ["action": "reconfigure"])
    }

    private func decoded(
        _ record: [String: String], _ transcription: TranscriptionService? = nil,
        recordingAt place: (url: String, token: String)? = nil
    ) throws -> [String: Any] {
        let configuration = BotConfiguration(
            meeting: try Meeting(record), botID: "b1", containerName: "usher-b1", secret: "s1",
            redisURL: "redis://bot:pw@host:1/0", apiURL: "http://api:8080", defaultName: "Usher",
            automaticLeave: .init(waitingRoomTimeout: 1, noOneJoinedTimeout: 2, everyoneLeftTimeout: 3),
            transcription: transcription, recordingUploadURL: place?.url, recordingUploadToken: place?.token)
        return try object(configuration.json)
    }

    private func object(_ json: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
    }
}
