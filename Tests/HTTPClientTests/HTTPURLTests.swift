import HTTP
import TestTurns
import Testing

@Suite(.takesTurns) struct HTTPURLTests {
    @Test(
        arguments: [
            ("http://host", "host", 80, "/"), ("http://host/", "host", 80, "/"),
            ("HTTP://Host:8080/a/b?c=d&e", "Host", 8080, "/a/b?c=d&e"), ("http://127.0.0.1:1?x", "127.0.0.1", 1, "/?x"),
            ("http://[::1]:65535/x#fragment", "::1", 65_535, "/x"), ("http://[::1]", "::1", 80, "/"),
            ("http://a-b.c_d:9/%20", "a-b.c_d", 9, "/%20"),
        ])
    func whatIsSoundIsTakenApart(text: String, host: String, port: Int, target: String) throws {
        let url = try HTTPURL(text)
        #expect(url.host == host)
        #expect(url.port == port)
        #expect(url.target == target)
    }

    @Test(
        arguments: [
            "", "host", "https://host/", "ftp://host/", "http:/host", "http://", "http:///x", "http://:80/",
            "http://host:0/", "http://host:65536/", "http://host:8a/", "http://user:secret@host/", "http://ho st/",
            "http://host/\r\nX: y", "http://host/ü", "http://[::1", "http://[x]/", "http://ho%20st/",
            "http://host/" + String(repeating: "x", count: 9_000),
        ])
    func anythingElseIsRefusedWithoutRepeatingIt(text: String) {
        do throws(HTTPURL.Invalid) {
            _ = try HTTPURL(text)
            Issue.record("\(text) was taken")
        } catch { #expect(!"\(error)".contains("secret")) }
    }
}
