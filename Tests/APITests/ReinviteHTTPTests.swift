import Foundation
import Redis
import RedisTestSupport
import TestTurns
import Testing
import Usher

@testable import API

/// The endpoint through a server, on a real Redis.
@Suite(.takesTurns) struct ReinviteHTTPTests {
    @Test func anAcceptedDispatchIsAnsweredToTheLetter() async throws {
        try await TestNode.with { node in
            let workspace = try node.makeWorkspace()
            let meeting = try workspace.makeMeeting()
            let time = /"dispatched_at":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}"/
            let answer = try workspace.reinvite(meeting)
            #expect(answer.status == 202 && answer.headers["content-type"] == "application/json")
            #expect(answer.headers["x-request-id"]?.isEmpty == false)
            #expect(
                answer.body.replacing(time, with: "T")
                    == "{\"meeting_id\":\"\(meeting)\",\"status\":\"INITIAL\",\"action\":\"dispatched\",T}")

            let record = Partition(workspace: workspace.id).meeting(meeting)
            let room = WorkspaceKeys(workspace: workspace.id)
            for key in [room.inFlight(Self.room), room.holder(Self.room)] { try await node.redis("DEL", key) }
            try await node.redis("HSET", record, "status", "OFFLINE")
            let restarted = try workspace.reinvite(meeting, body: "{\"force_restart\":true}")
            #expect(restarted.status == 202)
            #expect(
                restarted.body.replacing(time, with: "T")
                    == "{\"meeting_id\":\"\(meeting)\",\"status\":\"INITIAL\",\"action\":\"restarted\",T}")
        }
    }

    private static let room = Room(platform: .googleMeet, nativeID: "abc-defg-hij")

    /// On a LIVE meeting the code tells what was understood: 12103 without force_restart, 12104 with it.
    @Test func bodiesAreReadOrRefusedByField() async throws {
        try await TestNode.with { node in
            let workspace = try node.makeWorkspace()
            let meeting = try workspace.makeMeeting()
            try await node.redis("HSET", Partition(workspace: workspace.id).meeting(meeting), "status", "LIVE")
            for body in [nil, "", "{}", " {} ", "{\"force_restart\":false}", "{\"other\":[1,{\"a\":null}]}"] {
                #expect(try workspace.reinvite(meeting, body: body).code == 12103, "\(body ?? "none")")
            }
            for body in ["{\"force_restart\":true}", "{\"a\":1,\"force_restart\" : true}\n"] {
                #expect(try workspace.reinvite(meeting, body: body).code == 12104, "\(body)")
            }
            for value in ["null", "1", "0", "\"true\"", "\"\"", "[]", "[true]", "{}", "1.0"] {
                let answer = try workspace.reinvite(meeting, body: "{\"force_restart\":\(value)}")
                #expect(answer.field == "force_restart" && answer.code == 422, "\(value)")
                #expect(answer.detail == "force_restart must be true or false.", "\(value)")
            }
            let nested = "{\"a\":" + String(repeating: "[", count: 20_000) + String(repeating: "]", count: 20_000) + "}"
            for body in [
                "null", "[]", "[{}]", "1", "true", "\"text\"", " ", "{", "{]", "{}{}", "{\"force_restart\":tru}",
                "force_restart=true", "{'force_restart':true}", "\u{0}", nested,
            ] {
                let answer = try workspace.reinvite(meeting, body: body)
                #expect(answer.field == "body", "\(body.prefix(40)): \(answer.body)")
            }
        }
    }

    @Test func keysAreTakenFromBothFieldsAndNoOther() async throws {
        try await TestNode.with { node in
            let workspace = try node.makeWorkspace()
            let path = workspace.meetingsPath
            func status(_ headers: [String: String]) throws -> Int {
                let answer = try node.request("GET", path, headers: headers)
                if answer.status == 401 {
                    #expect(answer.code == 401 && answer.headers["www-authenticate"] == "Bearer")
                    #expect(!answer.body.contains(workspace.key))
                }
                return answer.status
            }
            let key = workspace.key
            for headers in [
                ["Authorization": "Bearer \(key)"], ["authorization": "bearer \(key)"], ["X-API-Key": key],
                ["Authorization": "Bearer \(key)", "X-API-Key": "nonsense"],
            ] {
                #expect(try status(headers) == 200, "\(headers)")
            }
            for headers in [
                [:], ["Authorization": ""], ["Authorization": "Bearer"], ["Authorization": "Bearer "],
                ["Authorization": key], ["Authorization": "Basic \(key)"], ["Authorization": "Bearer \(key) x"],
                ["Authorization": "Bearer \(key)0"], ["Authorization": "Bearer \(key.dropLast())"],
                ["Authorization": "Bearer \(key.uppercased())"], ["X-API-Key": ""], ["X-API-Key": "a, \(key)"],
                ["X-API-Key": String(repeating: "k", count: 600)], ["Authorization": "Bearer \(Digest.sha256(key))"],
                ["X-Admin-API-Key": TestNode.adminKey], ["Cookie": "key=\(key)"],
            ] {
                #expect(try status(headers) == 401, "\(headers)")
            }
        }
    }

    @Test func theChecksComeInTheirOrder() async throws {
        try await TestNode.with { node in
            let workspace = try node.makeWorkspace()
            let other = try node.makeWorkspace()
            let meeting = try workspace.makeMeeting()
            let bad = "[]"
            #expect(try workspace.reinvite(meeting, body: bad, key: "none").status == 401)
            let bots = try node.makeKey(workspace: workspace.id, user: workspace.userID, scopes: "[\"bots\"]")
            #expect(try workspace.reinvite(meeting, body: bad, key: bots).status == 403)
            #expect(try workspace.reinvite(meeting, body: bad, key: other.key).status == 403)
            #expect(try other.reinvite(meeting).code == 12101)
            #expect(try workspace.reinvite("0123").code == 12100)
            // The user loses the role between two requests, and the membership.
            let path = "/workspaces/\(workspace.id)/members/\(workspace.userID)"
            #expect(
                try node.admin(
                    "PUT", "/workspaces/\(workspace.id)/members/\(other.userID)", body: "{\"role\":\"owner\"}"
                ).status == 200)
            #expect(try node.admin("PUT", path, body: "{\"role\":\"member\"}").status == 200)
            #expect(try workspace.reinvite(meeting).code == 403)
            #expect(try workspace.reinvite("0123").code == 403)
            #expect(try node.admin("DELETE", path).status == 204)
            #expect(try workspace.request("GET").code == 403)
            #expect(try workspace.reinvite(meeting).code == 403)
        }
    }

    @Test func hostilePathsAreAnsweredInTheEnvelope() async throws {
        try await TestNode.with { node in
            let workspace = try node.makeWorkspace()
            let meeting = try workspace.makeMeeting()
            // A key of another kind, which an id with a colon would name.
            try await node.redis("XADD", Partition(workspace: workspace.id).meeting("\(meeting):x"), "*", "a", "b")
            for id in [
                "%22%7D", "\(meeting)%3Ax", "%E2%80%AE", "%27%3B--", "*", "%7Bp0%7D",
                String(repeating: "a", count: 4_000),
                "\(meeting)%20", meeting.uppercased() + "0",
            ] {
                for answer in [try workspace.reinvite(id), try workspace.request("GET", "/\(id)")] {
                    #expect(answer.status == 404 && answer.code == 12100, "\(id.prefix(40)): \(answer.body)")
                    #expect(answer.parameters?["meeting_id"] == id.removingPercentEncoding)
                }
            }
            for name in ["x", "%22", workspace.id + "%3Amembers", "*"] {
                let path = "/api/v1/public/meeting/\(name)/meetings"
                let answer = try node.request("GET", path, headers: ["X-API-Key": workspace.key])
                #expect(answer.code == 403 && answer.json != nil, "\(name)")
            }
            let upper = "/api/v1/public/meeting/\(workspace.id.uppercased())/meetings"
            #expect(try node.request("GET", upper, headers: ["X-API-Key": workspace.key]).status == 200)
        }
    }

    @Test func otherMethodsAreToldWhatIsAllowed() async throws {
        try await TestNode.with { node in
            let workspace = try node.makeWorkspace()
            let meeting = try workspace.makeMeeting()
            let wrong = try workspace.request("GET", "/\(meeting)/reinvite_bot")
            #expect(wrong.status == 405 && wrong.headers["allow"] == "OPTIONS, POST" && wrong.code == 405)
            #expect(try workspace.request("DELETE", "/\(meeting)").status == 405)
            let head = try workspace.request("HEAD", "/\(meeting)")
            #expect(head.status == 200 && head.body.isEmpty)
            #expect(try workspace.request("POST", "/\(meeting)/reinvite_bots").status == 404)
        }
    }

    @Test func aRedisOutOfMemoryIs12109AndReadingGoesOn() async throws {
        try await TestNode.with(redis: try RedisServer()) { node in
            let workspace = try node.makeWorkspace()
            let meeting = try workspace.makeMeeting()
            try await node.redis("CONFIG", "SET", "maxmemory", "1")
            let answer = try workspace.reinvite(meeting)
            #expect(answer.status == 500 && answer.code == 12109, "\(answer.body)")
            #expect(!answer.body.contains("OOM"))
            #expect(try workspace.request("GET", "/\(meeting)").status == 200)
            let user = try node.admin("POST", "/users", body: "{\"email\":\"new@example.com\"}")
            #expect(user.status == 503 && user.headers["retry-after"] == "60", "\(user.body)")
            try await node.redis("CONFIG", "SET", "maxmemory", "0")
            #expect(try workspace.reinvite(meeting).status == 202)
        }
    }

    @Test func aRedisThatIsAwayIs503UntilItIsBack() async throws {
        var options = RedisServer.Options()
        options.isPersistent = true
        let server = try RedisServer(options)
        try await TestNode.with(redis: server) { node in
            let workspace = try node.makeWorkspace()
            let meeting = try workspace.makeMeeting()
            server.stop()
            let answers = [
                try workspace.reinvite(meeting), try workspace.request("GET"),
                try workspace.request("GET", "/\(meeting)"),
                try workspace.request("POST", body: "{\"meeting_url\":\"https://meet.google.com/abc-defg-hij\"}"),
                try node.admin("POST", "/users", body: "{\"email\":\"new@example.com\"}"),
                try node.admin("GET", "/workspaces/\(workspace.id)/keys"),
            ]
            for answer in answers {
                #expect(answer.status == 503 && answer.code == 503 && answer.headers["retry-after"] != nil)
            }
            #expect(try node.request("GET", "/healthz").status == 200)
            try server.start()
            try await node.waitUntilConnected()
            #expect(try workspace.reinvite(meeting).status == 202)
            #expect(try workspace.reinvite(meeting).code == 12107)
        }
    }
}
