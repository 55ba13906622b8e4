import Foundation
import RedisTestSupport
import TestTurns
import Testing
import Usher

@testable import API

@Suite(.takesTurns) struct MeetingsHTTPTests {
    private static let url = "\"meeting_url\":\"https://meet.google.com/abc-defg-hij\""

    @Test func aMeetingIsAnsweredWithEveryMember() async throws {
        try await TestNode.with { node in
            let workspace = try node.makeWorkspace()
            let body =
                "{\(Self.url),\"title\":\"\\\"Plan\\\" \u{1f916}\",\"language\":\"de\",\"platform\":\"google_meet\"}"
            let made = try workspace.request("POST", body: body)
            #expect(made.status == 201)
            let json = try #require(made.json)
            #expect(
                Set(json.keys) == [
                    "meeting_id", "number", "workspace_id", "platform", "native_meeting_id", "meeting_url", "title",
                    "language", "status", "bot_status", "bot_id", "dispatched_at", "start_time", "end_time", "duration",
                    "flag", "scheduled_at", "auto_join", "auto_join_error", "missed_at", "created_at",
                ])
            #expect(json["title"] as? String == "\"Plan\" \u{1f916}" && json["bot_id"] is NSNull)
            let id = try #require(json["meeting_id"] as? String)
            let record = Partition(workspace: workspace.id).meeting(id)
            try await node.redis(
                "HSET", record, "start_time", "1779334931482", "end_time", "1779334932982", "duration", "1500", "flag",
                "x")
            let shown = try #require(try workspace.request("GET", "/\(id)").json)
            #expect(shown["start_time"] as? String == "2026-05-21T03:42:11.482")
            #expect(shown["duration"] as? Double == 1.5 && shown["flag"] as? String == "x")
        }
    }

    @Test func everyFieldThatIsWrongIsNamed() async throws {
        try await TestNode.with { node in
            let workspace = try node.makeWorkspace()
            let long = String(repeating: "x", count: 201)
            let cases = [
                ("{}", "meeting_url"), ("{\"meeting_url\":null}", "meeting_url"),
                ("{\"meeting_url\":\"\"}", "meeting_url"),
                ("{\"meeting_url\":7}", "meeting_url"), ("{\"meeting_url\":\"https://example.com/x\"}", "meeting_url"),
                ("{\"meeting_url\":\"https://meet.google.com/abc\\u0000-defg-hij\"}", "meeting_url"),
                ("{\"native_meeting_id\":\"abc-defg-hij\"}", "meeting_url"), ("{\"platform\":\"phone\"}", "platform"),
                ("{\"platform\":[]}", "platform"), ("{\"platform\":\"zoom\"}", "native_meeting_id"),
                ("{\"platform\":\"zoom\",\"native_meeting_id\":\"abc\"}", "native_meeting_id"),
                ("{\"platform\":\"zoom\",\"native_meeting_id\":123456789}", "native_meeting_id"),
                ("{\"platform\":\"zoom\",\"native_meeting_id\":\"123456789\",\"passcode\":\"\"}", "passcode"),
                ("{\(Self.url),\"title\":\"\"}", "title"), ("{\(Self.url),\"title\":\"\(long)\"}", "title"),
                ("{\(Self.url),\"title\":\"a\\nb\"}", "title"), ("{\(Self.url),\"language\":{}}", "language"),
                ("{\(Self.url),\"platform\":\"zoom\"}", "platform"),
                ("{\(Self.url),\"native_meeting_id\":\"xyz-defg-hij\"}", "native_meeting_id"),
                (
                    "{\"meeting_url\":\"https://teams.live.com/meet/9398850880426?p=a\",\"passcode\":\"secret\"}",
                    "passcode"
                ), ("[]", "body"), ("", "body"), ("{", "body"),
            ]
            for (body, field) in cases {
                let answer = try workspace.request("POST", body: body)
                #expect(answer.field == field, "\(body): \(answer.body)")
                #expect(answer.detail?.hasPrefix("\(field) ") == true && answer.detail?.hasSuffix(".") == true)
            }
            #expect((try workspace.request("GET").json?["meetings"] as? [Any])?.isEmpty == true)
        }
    }

    @Test func aListIsAskedForWithinItsBounds() async throws {
        try await TestNode.with { node in
            let workspace = try node.makeWorkspace()
            let first = try workspace.makeMeeting()
            let second = try workspace.makeMeeting()
            func ids(_ query: String) throws -> [String]? {
                (try workspace.request("GET", query).json?["meetings"] as? [[String: Any]])?
                    .compactMap { $0["meeting_id"] as? String }
            }
            #expect(try ids("") == [second, first])
            #expect(try ids("?limit=1") == [second] && ids("?limit=1&offset=1") == [first])
            #expect(try ids("?status=initial") == [second, first] && ids("?status=LIVE") == [])
            #expect(try workspace.request("GET", "?limit=1").json?["has_more"] as? Bool == true)
            #expect(try workspace.request("GET", "?limit=2").json?["has_more"] as? Bool == false)
            for (query, field) in [
                ("limit=0", "limit"), ("limit=101", "limit"), ("limit=", "limit"), ("limit=x", "limit"),
                ("limit=1.5", "limit"), ("limit=99999999999999999999", "limit"), ("offset=-1", "offset"),
                ("offset=1000001", "offset"), ("status=", "status"), ("status=PAUSED", "status"),
            ] {
                #expect(try workspace.request("GET", "?\(query)").field == field, "\(query)")
            }
        }
    }

    @Test func rolesDecideWhoReadsAndWhoMakes() async throws {
        try await TestNode.with { node in
            let workspace = try node.makeWorkspace()
            let meeting = try workspace.makeMeeting()
            let other = try node.makeWorkspace()
            for (role, mayMake) in [("viewer", false), ("member", true), ("manager", true), ("owner", true)] {
                let path = "/workspaces/\(workspace.id)/members/\(other.userID)"
                #expect(try node.admin("PUT", path, body: "{\"role\":\"\(role)\"}").status == 200)
                let key = try node.makeKey(workspace: workspace.id, user: other.userID)
                #expect(try workspace.request("GET", key: key).status == 200)
                #expect(try workspace.request("GET", "/\(meeting)", key: key).status == 200)
                let made = try workspace.request("POST", key: key, body: "{\(Self.url)}")
                #expect(made.status == (mayMake ? 201 : 403), "\(role)")
            }
            #expect(try other.request("GET", "/\(meeting)").code == 12101)
        }
    }
}
