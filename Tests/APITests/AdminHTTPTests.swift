import Foundation
import RedisTestSupport
import TestTurns
import Testing
import Usher

@testable import API

@Suite(.takesTurns) struct AdminHTTPTests {
    @Test func withoutTheAdminKeyNothingIsServed() async throws {
        for configured in [TestNode.adminKey, nil] {
            try await TestNode.with(adminKey: configured) { node in
                let given = [[:], ["X-Admin-API-Key": ""], ["X-Admin-API-Key": "the admin ke"], ["Authorization": "x"]]
                let all = configured == nil ? given + [["X-Admin-API-Key": TestNode.adminKey]] : given
                for headers in all {
                    for (method, path) in [
                        ("POST", "/users"), ("POST", "/workspaces"), ("GET", "/workspaces/x/keys"),
                        ("POST", "/workspaces/x/keys"), ("PUT", "/workspaces/x/members/1"),
                        ("DELETE", "/workspaces/x/members/1"), ("DELETE", "/keys/x"),
                    ] {
                        let answer = try node.request(method, "/admin" + path, headers: headers, body: "{}")
                        #expect(answer.status == 403 && answer.code == 403, "\(method) \(path) \(headers)")
                    }
                }
            }
        }
    }

    @Test func everyFieldThatIsWrongIsNamed() async throws {
        try await TestNode.with { node in
            let workspace = try node.makeWorkspace()
            let keys = "/workspaces/\(workspace.id)/keys"
            let email = "\"email\":\"a@example.com\""
            let user = "\"user_id\":\(workspace.userID)"
            let cases = [
                ("/users", "{}", "email"), ("/users", "{\"email\":7}", "email"),
                ("/users", "{\"email\":\"a\"}", "email"),
                ("/users", "{\(email),\"name\":\"\"}", "name"), ("/users", "{\(email),\"image_url\":[]}", "image_url"),
                ("/users", "{\(email),\"max_concurrent_bots\":0}", "max_concurrent_bots"),
                ("/users", "{\(email),\"max_concurrent_bots\":100001}", "max_concurrent_bots"),
                ("/users", "{\(email),\"max_concurrent_bots\":1.5}", "max_concurrent_bots"),
                ("/users", "{\(email),\"max_concurrent_bots\":1e400}", "max_concurrent_bots"),
                ("/users", "{\(email),\"max_concurrent_bots\":99999999999999999999}", "max_concurrent_bots"),
                ("/users", "{\(email),\"max_concurrent_bots\":\"3\"}", "max_concurrent_bots"),
                ("/users", "{\(email),\"max_concurrent_bots\":true}", "max_concurrent_bots"),
                ("/users", "", "body"), ("/users", "[]", "body"), ("/workspaces", "{}", "name"),
                ("/workspaces", "{\"name\":\"n\"}", "owner_user_id"),
                ("/workspaces", "{\"name\":\"n\",\"owner_user_id\":\"1\"}", "owner_user_id"),
                ("/workspaces", "{\"name\":\"n\",\"owner_user_id\":1.5}", "owner_user_id"), (keys, "{}", "user_id"),
                (keys, "{\(user)}", "scopes"), (keys, "{\(user),\"scopes\":\"seameet\"}", "scopes"),
                (keys, "{\(user),\"scopes\":[]}", "scopes"), (keys, "{\(user),\"scopes\":[\"all\"]}", "scopes"),
                (keys, "{\(user),\"scopes\":[\"seameet\",7]}", "scopes[1]"),
                (keys, "{\(user),\"scopes\":[\"seameet\"],\"label\":\"\"}", "label"),
            ]
            for (path, body, field) in cases {
                let answer = try node.admin("POST", path, body: body)
                #expect(answer.field == field, "\(path) \(body): \(answer.body)")
                #expect(answer.detail?.hasPrefix("\(field) ") == true && answer.detail?.hasSuffix(".") == true)
            }
            let member = "/workspaces/\(workspace.id)/members/\(workspace.userID)"
            for body in ["{}", "{\"role\":\"king\"}", "{\"role\":7}", "{\"role\":\"Owner\"}"] {
                #expect(try node.admin("PUT", member, body: body).field == "role", "\(body)")
            }
        }
    }

    @Test func aKeysExpiryIsATimeInTheFuture() async throws {
        try await TestNode.with { node in
            let workspace = try node.makeWorkspace()
            func make(_ expiresAt: String) throws -> Answer {
                try node.admin(
                    "POST", "/workspaces/\(workspace.id)/keys",
                    body: "{\"user_id\":\(workspace.userID),\"scopes\":[\"seameet\"],\"expires_at\":\(expiresAt)}")
            }
            for time in [
                "1970-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "2020-02-29T12:00:00+02:00",
                "tomorrow", "", "2099-02-30T00:00:00Z", "2099-01-01T00:00:00", "99999-01-01T00:00:00Z",
            ] {
                #expect(try make("\"\(time)\"").field == "expires_at", "\(time)")
            }
            #expect(try make("4102444800").field == "expires_at")
            #expect(try node.admin("GET", "/workspaces/\(workspace.id)/keys").body.contains("expires_at\":null"))
            let made = try make("\"2099-12-31T23:59:59.5+01:00\"")
            #expect(made.status == 201 && made.json?["expires_at"] as? String == "2099-12-31T22:59:59.500Z")
            let id = try #require(made.json?["id"] as? String)
            let key = try #require(made.json?["key"] as? String)
            let ttl = try await node.redis("PTTL", Keys.apiKey(hash: Digest.sha256(key)))
            #expect(try #require(ttl.integer) > 0)
            #expect(try workspace.request("GET", key: key).status == 200)
            #expect(try node.admin("GET", "/workspaces/\(workspace.id)/keys").body.contains(id))
            #expect(try !node.admin("GET", "/workspaces/\(workspace.id)/keys").body.contains(key))
            #expect(try node.admin("DELETE", "/keys/\(id)").status == 204)
            #expect(try workspace.request("GET", key: key).status == 401)
            #expect(try node.admin("DELETE", "/keys/\(id)").status == 404)
        }
    }

    @Test func aKeyIsReplacedWithoutADowntime() async throws {
        try await TestNode.with { node in
            let workspace = try node.makeWorkspace()
            let listed = try node.admin("GET", "/workspaces/\(workspace.id)/keys").json?["keys"] as? [[String: Any]]
            let id = try #require(listed?.first?["id"] as? String)
            for body in ["{\"grace_seconds\":-1}", "{\"grace_seconds\":2592001}", "{\"grace_seconds\":\"1\"}"] {
                #expect(try node.admin("POST", "/keys/\(id)/rotate", body: body).field == "grace_seconds", "\(body)")
            }
            let made = try node.admin("POST", "/keys/\(id)/rotate")
            let (newID, key) = (made.json?["id"] as? String ?? "", made.json?["key"] as? String ?? "")
            #expect(made.status == 201 && made.json?["rotated_from"] as? String == id)
            for valid in [workspace.key, key] { #expect(try workspace.request("GET", key: valid).status == 200) }
            let again = try node.admin("POST", "/keys/\(id)/rotate", body: "{\"grace_seconds\":60}")
            #expect(again.status == 409 && again.parameters == ["key_id": id, "rotated_to": newID])
            #expect(try node.admin("POST", "/keys/none/rotate", body: "{}").status == 404)
            #expect(try node.admin("POST", "/keys/\(newID)/rotate", body: "{\"grace_seconds\":0}").status == 201)
            #expect(try workspace.request("GET", key: key).status == 401)
            #expect(try workspace.request("GET").status == 200)
        }
    }

    /// An id that is none must not lead to a key of another kind, wherever its hash puts it.
    @Test func idsThatAreNoneAreUnknown() async throws {
        try await TestNode.with { node in
            let workspace = try node.makeWorkspace()
            let scopes = "{\"user_id\":\(workspace.userID),\"scopes\":[\"seameet\"]}"
            for id in ["x", "%22", "\(workspace.id)%3Amembers", String(repeating: "a", count: 3_000)] {
                #expect(try node.admin("GET", "/workspaces/\(id)/keys").status == 404)
                #expect(try node.admin("POST", "/workspaces/\(id)/keys", body: scopes).status == 404)
                let member = "/workspaces/\(id)/members/\(workspace.userID)"
                #expect(try node.admin("PUT", member, body: "{\"role\":\"owner\"}").status == 404)
                #expect(try node.admin("DELETE", member).status == 404)
                #expect(try node.admin("DELETE", "/keys/\(id)").status == 404)
            }
            for user in ["x", "0", "-1", "99999999999999999999", "1%20"] {
                let path = "/workspaces/\(workspace.id)/members/\(user)"
                #expect(try node.admin("PUT", path, body: "{\"role\":\"owner\"}").status == 404, "\(user)")
                #expect(try node.admin("DELETE", path).status == 404, "\(user)")
            }
        }
    }

    @Test func theLastOwnerStays() async throws {
        try await TestNode.with { node in
            let workspace = try node.makeWorkspace()
            let path = "/workspaces/\(workspace.id)/members/\(workspace.userID)"
            #expect(try node.admin("DELETE", path).status == 409)
            #expect(try node.admin("PUT", path, body: "{\"role\":\"viewer\"}").code == 409)
            #expect(try node.admin("PUT", path, body: "{\"role\":\"owner\"}").status == 200)
        }
    }
}
