import TestTurns
import Testing

@testable import Redis

@Suite(.takesTurns) struct RedisURLTests {
    struct Good: Sendable {
        let text: String
        let location: RedisURL.Location
        var user: String?
        var password: String?
        var database = 0
    }

    static let good: [Good] = [
        Good(text: "redis://localhost", location: .tcp(host: "localhost", port: 6379)),
        Good(text: "redis://localhost/", location: .tcp(host: "localhost", port: 6379)),
        Good(text: "redis://h:1/0", location: .tcp(host: "h", port: 1)),
        Good(
            text: "redis://redis-0.example_a.org:65535/15", location: .tcp(host: "redis-0.example_a.org", port: 65535),
            database: 15),
        Good(text: "redis://127.0.0.1:7000", location: .tcp(host: "127.0.0.1", port: 7000)),
        Good(text: "redis://[::1]", location: .tcp(host: "::1", port: 6379)),
        Good(text: "redis://[2001:db8::1]:7000/2", location: .tcp(host: "2001:db8::1", port: 7000), database: 2),
        Good(text: "redis://:secret@h", location: .tcp(host: "h", port: 6379), password: "secret"),
        Good(
            text: "redis://u:secret@h:1/3", location: .tcp(host: "h", port: 1), user: "u", password: "secret",
            database: 3),
        Good(text: "redis://u%40:p%3A%2f%25@h", location: .tcp(host: "h", port: 6379), user: "u@", password: "p:/%"),
        Good(text: "redis://:a@b:c/d@h/1", location: .tcp(host: "h", port: 6379), password: "a@b:c/d", database: 1),
        Good(text: "redis://:%C3%BC%00@h", location: .tcp(host: "h", port: 6379), password: "ü\0"),
        Good(text: "redis+unix:///run/redis.sock", location: .unix(path: "/run/redis.sock")),
        Good(text: "redis+unix:///run/a@b.sock?db=4", location: .unix(path: "/run/a@b.sock"), database: 4),
        Good(
            text: "redis+unix://u:p@/run/redis.sock", location: .unix(path: "/run/redis.sock"), user: "u", password: "p"
        ),
        Good(text: "redis+unix://:p@q@/run/x@/y.sock", location: .unix(path: "/run/x@/y.sock"), password: "p@q"),
        Good(
            text: "redis+unix:///" + String(repeating: "a", count: 106),
            location: .unix(path: "/" + String(repeating: "a", count: 106))),
        Good(
            text: "redis+sentinel://h/records",
            location: .sentinel(.init(sentinels: [NodeAddress(host: "h", port: 26379)], name: "records"))),
        Good(
            text:
                "redis+sentinel://u:p@10.0.0.1:7001,[::1]:7002,h/my_records-2.a/3?sentinel_user=s&sentinel_password=%26",
            location: .sentinel(
                .init(
                    sentinels: [
                        NodeAddress(host: "10.0.0.1", port: 7001), NodeAddress(host: "::1", port: 7002),
                        NodeAddress(host: "h", port: 26379),
                    ], name: "my_records-2.a", user: "s", password: "&")), user: "u", password: "p", database: 3),
        Good(text: "redis+cluster://h", location: .cluster(nodes: [NodeAddress(host: "h", port: 6379)])),
        Good(
            text: "redis+cluster://u:p,q@10.0.0.1:7001,[::1]:7002,h",
            location: .cluster(
                nodes: [
                    NodeAddress(host: "10.0.0.1", port: 7001), NodeAddress(host: "::1", port: 7002),
                    NodeAddress(host: "h", port: 6379),
                ]), user: "u", password: "p,q"),
    ]

    @Test(arguments: good) func takes(_ sample: Good) throws {
        let url = try RedisURL(sample.text)
        #expect(url.location == sample.location)
        #expect(url.user == sample.user)
        #expect(url.password == sample.password)
        #expect(url.database == sample.database)
    }

    static let bad: [String] = [
        "", "localhost", "localhost:6379", "http://h", "rediss+unix:///s", "rediss:/h", "rediss+sentinel://h",
        "REDIS://h", " redis://h", "redis:/h", "redis://",
        "redis:///0", "redis://:6379", "redis://h:", "redis://h:0", "redis://h:65536", "redis://h:+80", "redis://h:-1",
        "redis://h:x", "redis://h:6379:1", "redis://::1", "redis://::1:6379", "redis://[::1", "redis://[::1]x",
        "redis://[]", "redis://[h]", "redis://[127.0.0.1]", "redis://a b", "redis://h\0.org", "redis://h\n",
        "redis://h?db=1",
        "redis://h/x", "redis://h/-1", "redis://h/+1", "redis://h/1/", "redis://h/1000001", "redis://h/1?x",
        "redis://h/99999999999999999999", "redis://ü", "redis://\(String(repeating: "a", count: 254))",
        "redis://secret@h", "redis://:%@h", "redis://:%4@h", "redis://:%zz@h", "redis://:%+1@h", "redis://:%ff@h",
        "redis+unix://", "redis+unix:///", "redis+unix://run/redis.sock", "redis+unix:///s?", "redis+unix:///s?db=",
        "redis+unix:///s?db=x", "redis+unix:///s?x=1", "redis+unix:///s\0t", "redis+unix://secret@/s",
        "redis+unix:///" + String(repeating: "a", count: 107),
        "redis+sentinel://", "redis+sentinel://h", "redis+sentinel://h/", "redis+sentinel:///records",
        "redis+sentinel://h,/records", "redis+sentinel://h/records/", "redis+sentinel://h/records/x",
        "redis+sentinel://h/my records", "redis+sentinel://h/records/0/1", "redis+sentinel://h/records?db=1",
        "redis+sentinel://h/records?sentinel_user=u", "redis+sentinel://h/records?sentinel_password",
        "redis+sentinel://h/records?sentinel_password=p&sentinel_password=p",
        "redis+sentinel://h/" + String(repeating: "a", count: 129),
        "redis+sentinel://" + Array(repeating: "h", count: 65).joined(separator: ",") + "/records",
        "redis+cluster://", "redis+cluster://h,", "redis+cluster://,h", "redis+cluster://h:0,i", "redis+cluster://h/0",
        "redis+cluster://h,i/0", "redis+cluster://h i", "redis+cluster://secret@h", "redis+cluster:///s",
        "redis+cluster://" + Array(repeating: "h", count: 65).joined(separator: ","),
    ]

    @Test(arguments: bad) func refuses(_ text: String) {
        #expect(throws: RedisURL.Invalid.self) { try RedisURL(text) }
    }

    /// TLS is another way to the same place.
    @Test(arguments: good.filter { !$0.text.hasPrefix("redis+unix") }) func takesTheSameWithTLS(_ sample: Good) throws {
        var url = try RedisURL("rediss" + sample.text.dropFirst("redis".count))
        #expect(url.isEncrypted && url.redacted.hasPrefix("rediss"))
        url.isEncrypted = false
        #expect(try url == RedisURL(sample.text))
    }

    static let withSecret = [
        "redis://sesame@h", "redis://u:sesame@h:x", "redis://u:sesame@h:1/x", "redis://u:sesame%@h", "redis://:sesame@",
        "redis+unix://sesame@/s", "redis+unix://u:sesame@/s?x", "redis+unix://u:sesame", "sesame://h",
        "redis+sentinel://u:sesame@h", "redis+sentinel://h/records?sentinel_user=sesame",
        "redis+sentinel://h/records?sentinel_password=sesame&x", "redis+cluster://u:sesame@h/1",
    ]

    @Test(arguments: withSecret) func anErrorHoldsNothingOfTheURL(_ text: String) {
        #expect {
            try RedisURL(text)
        } throws: { error in
            !"\(error)".contains("sesame") && !String(reflecting: error).contains("sesame")
        }
    }

    @Test func noWayToPrintAURLShowsItsSecrets() throws {
        for text in [
            "redis://user:sesame@[::1]:7000/2", "redis+unix://user:sesame@/run/redis.sock?db=2",
            "redis+cluster://user:sesame@[::1]:7000,h:1",
            "redis+sentinel://user:sesame@[::1]:7000,h:1/records/2",
        ] {
            let url = try RedisURL(text)
            let configuration = ClientConfiguration(url: url, name: "n")
            var dumped = ""
            dump(configuration, to: &dumped)
            for printed in ["\(url)", String(reflecting: url), "\(configuration)", String(reflecting: [url]), dumped] {
                #expect(!printed.contains("sesame"))
                #expect(!printed.contains("user:"))
            }
            #expect(try RedisURL(url.redacted).location == url.location)
            #expect(try RedisURL(url.redacted).database == url.database)
        }
    }
}
