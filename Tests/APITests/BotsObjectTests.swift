import Foundation
import JSON
import TestTurns
import Testing

@testable import API
@testable import Usher

/// The texts that the Bots API writes by hand must be JSON whatever is in the records.
@Suite(.takesTurns) struct BotsObjectTests {
    private static let hostile = "a\"b\\c\n\u{1}\u{7f}\u{2028}😀</script>"

    private static func object(_ text: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    private static func meeting(_ fields: [String: String]) throws -> Meeting {
        try Meeting(
            [
                "id": "00112233445566778899aabbccddeeff", "number": "7", "workspace_id": "w", "created_at": "1000",
                "platform": "google_meet", "native_meeting_id": "abc-defg-hij", "status": "INITIAL", "created_by": "3",
                "meeting_url": "https://meet.google.com/abc-defg-hij",
            ].merging(fields) { $1 })
    }

    @Test func whatAnotherHandWroteOfACalendarsReadingIsPassedOver() throws {
        let fields = ["id": FeedCalendar.newID(), "ics_url": "https://example.com/a.ics", "user_id": "3"]
        let calendar = try #require(
            FeedCalendar(fields.merging(["skipped": "= =3 declined=2 all_day= cancelled"]) { $1 }, workspace: "w"))
        let object = try Self.object(CalendarObject.reading(calendar, next: []).closed)
        let skipped = try #require(object["skipped"] as? [String: Int])
        #expect(skipped["declined"] == 2 && skipped["all_day"] == 0 && skipped["cancelled"] == 0)
    }

    @Test func everyTextOfARecordIsWrittenAsJSON() throws {
        let list = String(decoding: try JSONEncoder().encode([Self.hostile]), as: UTF8.self)
        let meeting = try Self.meeting([
            "title": Self.hostile, "notes": Self.hostile, "bot_name": Self.hostile, "meeting_url": Self.hostile,
            "participants": list, "languages": "no JSON", "bot_status": "failed", "error_details": Self.hostile,
            "completion_reason": Self.hostile, "passcode": "secret",
        ])
        let text = BotsMeetingObject.json(meeting).closed
        #expect(!text.contains("secret"))
        let object = try Self.object(text)
        #expect(object["completion_reason"] as? String == Self.hostile)
        let data = try #require(object["data"] as? [String: Any])
        #expect(data["name"] as? String == Self.hostile && data["notes"] as? String == Self.hostile)
        #expect(data["participants"] as? [String] == [Self.hostile] && data["languages"] == nil)
        #expect(data["error_details"] as? String == Self.hostile)
    }

    @Test func endingsAreShownOfEndedBotsOnly() throws {
        let fields = [
            "completion_reason": "join_failure", "failure_stage": "joining", "exit_code": "3",
            "bot_container_id": "old",
        ]
        for status in BotStatus.allCases {
            let meeting = try Self.meeting(fields.merging(["bot_status": status.rawValue]) { $1 })
            let object = try Self.object(BotsMeetingObject.json(meeting).closed)
            let data = try #require(object["data"] as? [String: Any])
            #expect(object["status"] as? String == status.rawValue)
            #expect((object["completion_reason"] is NSNull) == status.isRunning)
            #expect((object["failure_stage"] is NSNull) == status.isRunning)
            #expect((data["exit_code"] == nil) == status.isRunning)
            #expect((object["bot_container_id"] is NSNull) == (status == .requested))
            #expect(data["planned"] == nil)
        }
        let planned = try Self.object(BotsMeetingObject.json(try Self.meeting([:])).closed)
        #expect((planned["data"] as? [String: Any])?["planned"] as? Bool == true)
    }

    @Test(arguments: [
        ("https://a.example/", true), ("http://localhost:8080/hook?x=1", true), ("HTTPS://A.EXAMPLE", true),
        ("https://[::1]:9000/x", true), ("https://10.0.0.1", true), ("https://a_b.example/x", true),
        ("ftp://a.example", false), ("https://", false), ("https:///x", false), ("https://u@a.example", false),
        ("https://u:p@a.example", false), ("https://a.example:0", false), ("https://a.example:99999", false),
        ("https://a.example:", false), ("https://a b", false), ("https://a.example/#f", false), ("a.example", false),
        ("https:/a.example", false), ("https://.example", false), ("https://ä.example", false), ("", false),
        ("javascript://a.example", false), ("https://[]", false), ("https://a.example\\@b", false),
    ])
    func aWebhookIsAnHTTPLinkWithoutCredentials(_ text: String, _ isSound: Bool) {
        #expect((ReceiverURL.host(of: text) != nil) == isSound)
    }

    @Test(arguments: [
        ("/bots", "bots"), ("/bots/status", "bots"), ("/meetings/7", "bots"), ("/transcripts/a/b", "bots"),
        ("/user/webhook", "bots"), ("/webhooks/w", "bots"), ("/internal/bots/x/status", "bots"),
        ("/admin/users", "admin"),
        ("/api/v1/public/meeting/w/meetings", "reinvite"), ("/", "reinvite"), ("", "reinvite"), ("/botsy", "reinvite"),
    ])
    func anErrorHasTheFormOfItsAPI(_ path: String, _ style: String) throws {
        #expect("\(ErrorStyle(path: path))" == style)
        let error = APIError(
            409, title: Self.hostile, Self.hostile, parameters: ["from": Self.hostile], meetingNumber: 7)
        let object = try Self.object(String(decoding: error.body(ErrorStyle(path: path)), as: UTF8.self))
        let members: [String: Set<String>] = [
            "bots": ["error", "detail", "meeting_id", "from"], "admin": ["error", "detail", "code", "parameters"],
            "reinvite": ["detail", "code", "parameters"],
        ]
        #expect(Set(object.keys) == members[style])
        #expect(object["detail"] as? String == Self.hostile)
    }

    @Test func theLastBytesOfALogAreKeptAsWholeCharacters() throws {
        let lines = (0..<2_000).map { "line \($0) é😀" }
        let body = try JSONSerialization.data(withJSONObject: [
            "connection_id": "x", "status": "failed", "bot_logs": lines, "exit_code": "no number",
            "error_details": ["deep": [1, NSNull(), true]],
        ])
        let report = try StatusReportBody(json: Array(body)).report
        let kept = try #require(report.fields["bot_output"])
        #expect(kept.utf8.count <= 4_096 && lines.joined(separator: "\n").hasSuffix(kept))
        #expect(report.fields["exit_code"] == nil)
        #expect(report.fields["error_details"] == "{\"deep\":[1,null,true]}")
    }
}
