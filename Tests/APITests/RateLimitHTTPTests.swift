import EventLoop
import RedisTestSupport
import TestTurns
import Testing
import Usher

@testable import API

/// 429 in the words of each API, and whom it spares.
@Suite(.takesTurns) struct RateLimitHTTPTests {
    private static let hourly = RateLimit(perSecond: 1, burst: 20)

    /// Asks until it is refused, which it must be when the bucket, and what comes into it meanwhile, is used up.
    private static func exhaust(_ ask: () throws -> Answer) throws -> Answer {
        let began = MonotonicTime.now()
        var passed = 0
        // One more may pass while Redis is asked.
        while passed <= hourly.burst + hourly.perSecond * (MonotonicTime.now().milliseconds(since: began) / 1_000 + 1)
            + 1
        {
            let answer = try ask()
            if answer.status == 429 { return answer }
            passed += 1
        }
        throw TestServerError("\(passed) requests passed")
    }

    @Test func aKeyThatAsksTooMuchIsToldWhenToComeBack() async throws {
        let configuration = TestNode.Configuration(keyRateLimit: Self.hourly)
        try await TestNode.with(configuration: configuration) { node in
            let workspace = try node.makeWorkspace()
            let key = try node.makeKey(
                workspace: workspace.id, user: workspace.userID, scopes: "[\"seameet\",\"bots\"]")
            let refused = try Self.exhaust { try workspace.request("GET", key: key) }
            #expect(refused.code == 429 && refused.parameters == [:])
            #expect(Set(refused.json?.keys.map { $0 } ?? []) == ["detail", "code", "parameters"])
            #expect(refused.headers["retry-after"] == "1")
            let bots = try Self.exhaust { try node.request("GET", "/bots/status", headers: ["X-API-Key": key]) }
            #expect(Set(bots.json?.keys.map { $0 } ?? []) == ["error", "detail"])
            #expect(bots.headers["retry-after"] == "1")
            // Another key of the same workspace is another bucket; and so is no key.
            #expect(try workspace.request("GET").status == 200)
            #expect(try node.request("GET", "/bots/status").status == 401)
        }
    }

    @Test func anAddressThatSendsNoValidKeyIsRefusedAndOthersAreNot() async throws {
        var configuration = TestNode.Configuration(addressRateLimit: Self.hourly)
        configuration.trustedProxies = [AddressRange("127.0.0.0/8")!, AddressRange("10.0.0.0/8")!]
        try await TestNode.with(configuration: configuration) { node in
            let workspace = try node.makeWorkspace()
            #expect(try workspace.request("GET").status == 200)
            func ask(_ from: String, _ key: String?, _ path: String = "/bots/status") throws -> Answer {
                var headers = ["X-Forwarded-For": from]
                headers["X-API-Key"] = key
                return try node.request("GET", path, headers: headers)
            }
            let refused = try Self.exhaust { try ask("1.2.3.4, 203.0.113.9, 10.1.1.1", "usher_wrong") }
            #expect(refused.headers["retry-after"] == "1" && refused.headers["www-authenticate"] == nil)
            #expect(try Self.exhaust { try ask("203.0.113.9", nil, workspace.meetingsPath) }.code == 429)
            // What it claims to be forwarded for does not help; another address and a key that is known are served.
            #expect(try Self.exhaust { try ask("203.0.113.10, 203.0.113.9", "usher_other") }.status == 429)
            #expect(try ask("203.0.113.10", "usher_other").status == 401)
            #expect(try ask("203.0.113.9", workspace.key, workspace.meetingsPath).status == 200)

            let admin = try Self.exhaust {
                try node.request(
                    "GET", "/admin/users", headers: ["X-Forwarded-For": "203.0.113.9", "X-Admin-API-Key": "wrong"])
            }
            #expect(admin.status == 429 && admin.code == 429)
            let right = ["X-Forwarded-For": "203.0.113.9", "X-Admin-API-Key": TestNode.adminKey]
            #expect(try node.request("GET", "/admin/users", headers: right).status == 200)
            let bot = try Self.exhaust {
                try node.request(
                    "POST", "/internal/bots/3fa85f64-5717-4562-b3fc-2c963f66afa6/status",
                    headers: ["X-Forwarded-For": "203.0.113.9", "X-Internal-Secret": "wrong"], body: "{}")
            }
            #expect(bot.status == 429)
        }
    }

    @Test func withoutALimitNothingIsCounted() async throws {
        try await TestNode.with { node in
            let workspace = try node.makeWorkspace()
            for _ in 0..<50 {
                #expect(try workspace.request("GET").status == 200)
                #expect(try node.request("GET", "/bots/status").status == 401)
            }
            #expect(try await node.redis("KEYS", "usher:rate:*") == .array([]))
        }
    }

    @Test(arguments: [
        ("", "127.0.0.1"), ("203.0.113.9", "203.0.113.9"), ("1.1.1.1, 203.0.113.9 ", "203.0.113.9"),
        ("203.0.113.9,10.0.0.1", "203.0.113.9"), ("10.0.0.2, 10.0.0.1", "10.0.0.2"), ("x, 10.0.0.1", "10.0.0.1"),
        ("x", "127.0.0.1"), ("203.0.113.9:5000", "203.0.113.9"), ("[2001:db8::1]:80", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"), (",", "127.0.0.1"), ("203.0.113.9,,", "203.0.113.9"),
    ])
    func theLastHopThatIsNotTrustedCounts(_ forwarded: String, _ client: String) throws {
        let address = ClientAddress(trustedProxies: [AddressRange("127.0.0.1")!, AddressRange("10.0.0.0/8")!])
        #expect(address.of(peer: IPAddress("127.0.0.1"), forwardedFor: forwarded) == IPAddress(client))
        let doubtful = ClientAddress(trustedProxies: [AddressRange("10.0.0.0/8")!])
        #expect(doubtful.of(peer: IPAddress("127.0.0.1"), forwardedFor: forwarded) == IPAddress("127.0.0.1"))
    }
}
