import EventLoop
import TestTurns
import Testing

@testable import HTTP

@Suite(.takesTurns) struct RouterTests {
    private static let router: Router = {
        var router = Router()
        for pattern in [
            "/", "/a", "/a/", "/a/b", "/a/{x}", "/a/{x}/c", "/a/b/{y}/d",
            "/api/v1/public/meeting/{workspace_id}/meetings/{meeting_id}/reinvite_bot",
        ] {
            router.add(.get, pattern, synchronous: { .text($0.route ?? "") })
        }
        router.add(.post, "/a/b") { _ in .empty() }
        router.add(.options, "/own") { _ in .empty() }
        return router
    }()

    private func resolve(_ target: String, _ method: String = "GET") throws -> Router.Resolution {
        var parser = RequestParser()
        return try Array("\(method) \(target) HTTP/1.1\r\nHost: a\r\n\r\n".utf8).withUnsafeBufferPointer { bytes in
            var position = 0
            switch parser.advance(bytes, at: &position) {
            case .complete(let request): return try Self.router.resolve(request.head)
            case .failed(let error): throw error
            default: throw HTTPError(400, "incomplete")
            }
        }
    }

    private static let found: [(target: String, pattern: String, parameters: [String])] = [
        ("/", "/", []), ("/?a", "/", []), ("http://b", "/", []), ("/a", "/a", []), ("/a/", "/a/", []),
        ("/a/b", "/a/b", []), ("/a/x", "/a/{x}", ["x"]), ("/%61/%62", "/a/b", []),
        // The literal leads nowhere here, so the parameter is tried.
        ("/a/b/c", "/a/{x}/c", ["b"]), ("/a/b/c/d", "/a/b/{y}/d", ["c"]),
        ("/a/%7E%C3%A9%20", "/a/{x}", ["~é "]), ("/a/%252e", "/a/{x}", ["%2e"]), ("/a/...", "/a/{x}", ["..."]),
        (
            "/api/v1/public/meeting/3fa85f64-5717/meetings/2b34/reinvite_bot?x=y",
            "/api/v1/public/meeting/{workspace_id}/meetings/{meeting_id}/reinvite_bot", ["3fa85f64-5717", "2b34"]
        ),
    ]

    @Test(arguments: found)
    func aPathLeadsToItsRoute(_ target: String, _ pattern: String, _ parameters: [String]) throws {
        guard case .found(let match) = try resolve(target) else {
            Issue.record("\(target) is not found")
            return
        }
        #expect(match.route.pattern == pattern)
        #expect(match.parameters == parameters)
    }

    @Test(arguments: ["/b", "//", "//a", "/a//", "/a//c", "/a/b/c/d/e", "/A", "/api", "/a/x/"])
    func otherPathsLeadNowhere(_ target: String) throws {
        guard case .notFound = try resolve(target) else {
            Issue.record("\(target) is found")
            return
        }
    }

    @Test(arguments: [
        "/a/%2f", "/a/..", "/a/.", "/a/%2e%2E", "/a/.%2e", "/a/%0d%0a", "/a/%7f", "/a/%ff", "/a/%c3", "/../a", "/./a",
    ])
    func pathsThatOthersMightReadDifferentlyAreRefused(_ target: String) throws {
        let error = #expect(throws: HTTPError.self) { _ = try resolve(target) }
        #expect(error?.status == 400)
    }

    @Test func aMethodIsFoundOrWhatIsAllowedIsSaid() throws {
        guard case .found(let head) = try resolve("/a/b", "HEAD"), head.route.method == .get,
            case .found(let post) = try resolve("/a/b", "POST"), post.route.method == .post,
            case .found = try resolve("/own", "OPTIONS"),
            case .methodNotAllowed(let allow) = try resolve("/a/b", "DELETE"),
            case .methodNotAllowed = try resolve("/a/b", "get"),
            case .methodNotAllowed = try resolve("/own", "HEAD"),
            case .options(let options, _) = try resolve("/a/b", "OPTIONS")
        else {
            Issue.record("a method is resolved to something else")
            return
        }
        #expect(allow == "GET, HEAD, OPTIONS, POST")
        #expect(options == allow)
    }

    /// To compare thousands of them takes long.
    @Test func ofCombiningMarksInARowTheFirstCount() throws {
        let encoded = String(repeating: "%CD%85", count: 600) + String(repeating: "%CC%B4", count: 600)
        let kept = Array("a".utf8) + Array(repeatElement([0xcd, 0x85], count: 64).joined())
        guard case .found(let match) = try resolve("/a/a\(encoded)") else {
            Issue.record("it is not found")
            return
        }
        #expect(match.parameters.map { Array($0.utf8) } == [kept])
        let query = try request("GET /?q=a\(encoded) HTTP/1.1\r\nHost: a\r\n\r\n").query("q")
        #expect(query.map { Array($0.utf8) } == kept)
    }

    private func request(_ text: String) throws -> Request {
        var parser = RequestParser()
        let parsed: ParsedRequest? = Array(text.utf8).withUnsafeBufferPointer { bytes in
            var position = 0
            guard case .complete(let request) = parser.advance(bytes, at: &position) else { return nil }
            return request
        }
        let now = MonotonicTime.now()
        return Request(
            head: try #require(parsed).head, body: [], received: now, deadline: now, identifier: .made(1, 2),
            serial: RequestSerial(high: 1, low: 2), match: nil)
    }

    @Test func queriesAreDecodedAsFormsAre() throws {
        let text = "GET /?a=1&b=x+y%2B%26&a=2&c&d=%ff&=e&&f=g=h&%67+i=j&k HTTP/1.1\r\nHost: a\r\n\r\n"
        let request = try request(text)
        #expect(request.query("a") == "1")
        #expect(request.query("b") == "x y+&")
        #expect(request.query("c") == "")
        #expect(request.query("d") == "\u{fffd}")
        #expect(request.query("f") == "g=h")
        #expect(request.query("absent") == nil)
        #expect(request.query("") == "e")
        #expect(request.query("g i") == "j")
        #expect(request.query("%67+i") == nil)
        #expect(request.query("k") == "")
        #expect(request.id == "00000000000000010000000000000002")
        #expect(request.route == nil)
    }
}
