import EventLoop
import Foundation
import HTTP
import Log
import RedisTestSupport
import Synchronization
import TestTurns
import Testing

/// The client against this package's server, and against peers that do not answer.
@Suite(.takesTurns, .timeLimit(.minutes(14))) struct HTTPClientTests {
    static func router() -> Router {
        var router = Router()
        router.add(.post, "/echo") { request in
            Response(
                status: 201,
                headers: [("X-Secret", request.header("x-secret") ?? ""), ("X-Host", request.header("Host") ?? "")],
                body: request.body)
        }
        router.add(.get, "/query", synchronous: { .text($0.query("a") ?? "none") })
        router.add(.delete, "/nothing", synchronous: { _ in .empty() })
        router.add(.get, "/large", synchronous: { _ in .text(String(repeating: "x", count: 65_537)) })
        router.add(.get, "/never") { _ in
            await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
            return .empty()
        }
        return router
    }

    static func withServer(
        _ body: @escaping @Sendable (HTTPClient, _ base: String) async throws -> Void
    ) async throws {
        let loop = try EventLoop(name: "http")
        try loop.start()
        defer {
            loop.stop()
            loop.join()
        }
        let listener = try Listener.bind(host: "127.0.0.1", port: 0, reusesPort: false)
        let port = listener.port
        let server = Server(loop: loop, router: router(), logger: Logger(minimum: .error))
        try await server.start(listener)
        try await Task(executorPreference: loop) {
            try await body(HTTPClient(loop: loop), "http://127.0.0.1:\(port)")
        }.value
        _ = await server.drain(deadline: .now())
    }

    static var soon: MonotonicTime { .now().advanced(byMilliseconds: 60_000) }

    @Test func requestsAreAnswered() async throws {
        try await Self.withServer { client, base in
            let body = Array("{\"text\":\"übung\"}".utf8)
            let echo = try await client.send(
                ClientRequest(
                    .post, HTTPURL(base + "/echo"), headers: [("X-Secret", "s3\r\nX-Evil: 1")], body: body),
                deadline: Self.soon)
            #expect(echo.status == 201)
            #expect(echo.body == body)
            #expect(echo.header("x-secret") == "s3  X-Evil: 1")
            #expect(echo.header("x-host") == String(base.dropFirst("http://".count)))

            let query = try await client.send(ClientRequest(.get, HTTPURL(base + "/query?a=b+c")), deadline: Self.soon)
            #expect(query.body == Array("b c".utf8))
            let empty = try await client.send(ClientRequest(.post, HTTPURL(base + "/echo")), deadline: Self.soon)
            #expect(empty.status == 201 && empty.body.isEmpty)
            let nothing = try await client.send(
                ClientRequest(.delete, HTTPURL(base + "/nothing")), deadline: Self.soon)
            #expect(nothing.status == 204 && nothing.body.isEmpty)
            let head = try await client.send(ClientRequest(.head, HTTPURL(base + "/large")), deadline: Self.soon)
            #expect(head.status == 200 && head.body.isEmpty)
            let missing = try await client.send(ClientRequest(.get, HTTPURL(base + "/no")), deadline: Self.soon)
            #expect(missing.status == 404)
        }
    }

    @Test func manyRequestsAreUnderWayAtOnce() async throws {
        try await Self.withServer { client, base in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        let body = Array("\(number)".utf8)
                        let response = try await client.send(
                            ClientRequest(.post, HTTPURL(base + "/echo"), body: body), deadline: Self.soon)
                        #expect(response.body == body)
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func whatWasNotSentIsToldApartFromWhatMayHaveArrived() async throws {
        try await Self.withServer { client, base in
            func failure(_ url: String, milliseconds: Int = 60_000) async throws -> ClientError? {
                do throws(ClientError) {
                    let request = ClientRequest(.get, try! HTTPURL(url))
                    _ = try await client.send(request, deadline: .now().advanced(byMilliseconds: milliseconds))
                    return nil
                } catch { return error }
            }
            let closed = try freePort()
            guard case .notSent = try await failure("http://127.0.0.1:\(closed)/") else {
                Issue.record("a closed port was not told")
                return
            }
            #expect(try await failure(base + "/query", milliseconds: 0) == .notSent("its deadline has passed"))
            guard case .notSent = try await failure("http://no-such-host.invalid/") else {
                Issue.record("an unknown host was not told")
                return
            }
            #expect(
                try await failure(base + "/never", milliseconds: 5_000)
                    == .outcomeUnknown("no answer before the deadline"))
            guard case .outcomeUnknown(let reason) = try await failure(base + "/large") else {
                Issue.record("a body that is too large was taken")
                return
            }
            #expect(reason.contains("65536"))
        }
    }

    /// The name has an IPv6 address too on most machines, on which nobody listens.
    @Test func allAddressesOfAHostAreTried() async throws {
        try await Self.withServer { client, base in
            let url = try HTTPURL(base.replacing("127.0.0.1", with: "localhost") + "/query")
            #expect(try await client.send(ClientRequest(.get, url), deadline: Self.soon).status == 200)
        }
    }

    @Test func aPeerThatClosesWithoutAnAnswerLeavesTheOutcomeUnknown() async throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(listener) }
        let port = try Int(freePort())
        let address = try #require(SocketAddress(host: "127.0.0.1", port: port))
        #expect(address.withPointer { bind(listener, $0, $1) } == 0)
        #expect(listen(listener, 8) == 0)
        Thread.detachNewThread {
            var byte: UInt8 = 0
            let first = accept(listener, nil, nil)
            recv(first, &byte, 1, 0)
            close(first)
        }
        try await Self.withServer { client, _ in
            do throws(ClientError) {
                let request = ClientRequest(.post, try! HTTPURL("http://127.0.0.1:\(port)/"), body: [1])
                _ = try await client.send(request, deadline: Self.soon)
                Issue.record("an answer came from nowhere")
            } catch {
                guard case .outcomeUnknown = error else {
                    Issue.record("\(error)")
                    return
                }
            }
        }
    }
}
