import EventLoop
import Foundation
import Synchronization
import TestTurns
import Testing

@testable import HTTP

/// Answers, as a client on a real socket sees them.
@Suite(.takesTurns) struct ServerTests {
    @Test func anAnswerHasWhatEveryAnswerHas() async throws {
        try await withServer { fixture in
            let client = try fixture.connect()
            try client.request("/healthz")
            let answer = try client.answer()
            #expect(answer.status == 200)
            #expect(answer.text == "ok\n")
            #expect(answer["Content-Length"] == "3")
            #expect(answer["Content-Type"] == "text/plain; charset=utf-8")
            #expect(answer["Connection"] == nil)
            #expect(answer["X-Request-Id"]?.wholeMatch(of: /[0-9a-f]{32}/) != nil)
            let date = /(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT/
            #expect(answer["Date"]?.wholeMatch(of: date) != nil)
        }
    }

    @Test func theDateIsThatOfTheRFC() {
        #expect(DateLine.line(seconds: 784_111_777) == Array("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n".utf8))
    }

    @Test func aConnectionServesManyRequestsInAnyPieces() async throws {
        try await withServer { fixture in
            let client = try fixture.connect()
            var seen: Set<String> = []
            for number in 0..<200 {
                let text = "PUT /items/\(number) HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nnumber"
                let cut = number % text.utf8.count
                try client.send(Array(text.utf8.prefix(cut)))
                try client.send(Array(text.utf8.dropFirst(cut)))
                let answer = try client.answer()
                #expect(answer.status == 201)
                #expect(answer.text == "number")
                seen.insert(answer["X-Request-Id"] ?? "")
            }
            #expect(seen.count == 200)
        }
    }

    @Test func pipelinedRequestsAreAnsweredInOrder() async throws {
        try await withServer { fixture in
            let client = try fixture.connect()
            var text = "GET /gate HTTP/1.1\r\nHost: a\r\n\r\n"
            for number in 0..<300 {
                // Answered at once, by a task, and refused: none of them may overtake another.
                let target = ["/query?a=\(number)", "/items/\(number)", "/absent/\(number)"][number % 3]
                text += "GET \(target) HTTP/1.1\r\nHost: a\r\nX-Request-Id: r\(number)\r\n\r\n"
            }
            try client.send(text)
            try wait(for: "the first handler's start") { fixture.gate.waitingCount == 1 }
            fixture.gate.open()
            #expect(try client.answer().text == "through")
            for number in 0..<300 {
                let answer = try client.answer()
                #expect(answer["X-Request-Id"] == "r\(number)")
                #expect(answer.status == (number % 3 == 2 ? 404 : 200))
                if number % 3 != 2 { #expect(answer.text == "\(number)") }
            }
        }
    }

    @Test func pipelinedRequestsLeaveOthersTheirTurn() async throws {
        try await withServer { fixture in
            let (greedy, other) = (try fixture.connect(), try fixture.connect())
            for client in [greedy, other] {
                try client.request("/healthz")
                #expect(try client.answer().status == 200)
            }
            let pipelined = 4 * Server.pipelinedPerTurn
            // Both have sent when the loop looks again, the greedy one first.
            try fixture.holdingTheLoop {
                try greedy.send(String(repeating: "GET /count HTTP/1.1\r\nHost: a\r\n\r\n", count: pipelined))
                try other.request("/count")
            }
            #expect(Int(try other.answer().text)! <= Server.pipelinedPerTurn / 4)
            for _ in 0..<pipelined { #expect(try greedy.answer().status == 200) }
            try greedy.request("/count")
            #expect(Int(try greedy.answer().text) == pipelined + 2)
        }
    }

    @Test func oneDotZeroClosesUnlessAskedToKeep() async throws {
        try await withServer { fixture in
            let client = try fixture.connect()
            try client.send("GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            #expect(try client.answer()["Connection"] == "keep-alive")
            try client.send("GET /healthz HTTP/1.0\r\n\r\n")
            #expect(try client.answer()["Connection"] == "close")
            #expect(try client.rest() == "")
        }
    }

    @Test func closeIsHonoured() async throws {
        try await withServer { fixture in
            let client = try fixture.connect()
            try client.send(
                "GET /items/1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /items/2 HTTP/1.1\r\nHost: a\r\n\r\n")
            let answer = try client.answer()
            #expect(answer.text == "1")
            #expect(answer["Connection"] == "close")
            #expect(try client.rest() == "")
        }
    }

    @Test func anInterimAnswerComesWhenTheBodyIsWanted() async throws {
        try await withServer { fixture in
            let client = try fixture.connect()
            let head = "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
            try client.send(head)
            #expect(try client.answer().status == 100)
            try client.send("hello")
            #expect(try client.answer().text == "hello")
            // A client that does not wait needs no interim answer.
            try client.send(head + "hello")
            let answer = try client.answer()
            #expect(answer.status == 200)
            #expect(answer.text == "hello")
            try client.request("/healthz", fields: "Expect: 200-ok\r\n")
            #expect(try client.answer().status == 417)
            #expect(try client.rest() == "")
        }
    }

    @Test func headIsGetWithoutTheBody() async throws {
        try await withServer { fixture in
            let client = try fixture.connect()
            for target in ["/healthz", "/items/abc"] {
                try client.request(target, method: "HEAD")
                let answer = try client.answer(toHead: true)
                #expect(answer.status == 200)
                #expect(answer["Content-Length"] == "3")
            }
            try client.request("/absent", method: "HEAD")
            #expect(try client.answer(toHead: true).status == 404)
            try client.request("/healthz")
            #expect(try client.answer().text == "ok\n")
        }
    }

    @Test func anEmptyAnswerHasNoLength() async throws {
        try await withServer { fixture in
            let client = try fixture.connect()
            try client.request("/nothing", method: "DELETE")
            let answer = try client.answer()
            #expect(answer.status == 204)
            #expect(answer["Content-Length"] == nil)
            try client.request("/healthz")
            #expect(try client.answer().status == 200)
        }
    }

    @Test func whatIsNotServedIsSaidSo() async throws {
        try await withServer { fixture in
            let client = try fixture.connect()
            try client.request("/absent")
            let absent = try client.answer()
            #expect(absent.status == 404)
            #expect(
                absent.text == #"{"detail":"Check the path: nothing is served there.","code":404,"parameters":{}}"#)
            #expect(absent["Content-Type"] == "application/json")
            try client.request("/items/1", method: "POST")
            let other = try client.answer()
            #expect(other.status == 405)
            #expect(other["Allow"] == "GET, HEAD, OPTIONS, PUT")
            try client.request("/items/1", method: "OPTIONS")
            let options = try client.answer()
            #expect(options.status == 204)
            #expect(options["Allow"] == "GET, HEAD, OPTIONS, PUT")
            try client.request("*", method: "OPTIONS")
            #expect(try client.answer()["Allow"] == "DELETE, GET, HEAD, OPTIONS, POST, PUT")
            try client.request("/items/a%2fb")
            #expect(try client.answer().status == 400)
            try client.request("/items/..")
            #expect(try client.answer().status == 400)
            try client.request("/healthz")
            #expect(try client.answer().status == 200)
        }
    }

    @Test func theRequestIdIsTheCallersIfSane() async throws {
        try await withServer { fixture in
            let client = try fixture.connect()
            let longest = String(repeating: "a", count: 128)
            for good in ["a", "A-z_0.9", longest] {
                try client.request("/echo", method: "POST", fields: "X-Request-Id: \(good)\r\n")
                let answer = try client.answer()
                #expect(answer["X-Request-Id"] == good)
                #expect(answer["X-Received-Id"] == good)
            }
            for bad in [longest + "a", "", "a b", "a/b", "a\"b", "é"] {
                try client.request("/echo", method: "POST", fields: "X-Request-Id: \(bad)\r\n")
                let answer = try client.answer()
                #expect(answer["X-Request-Id"]?.wholeMatch(of: /[0-9a-f]{32}/) != nil)
                #expect(answer["X-Received-Id"] == answer["X-Request-Id"])
            }
            try client.request("/healthz", fields: "X-Request-Id: a\r\nX-Request-Id: b\r\n")
            #expect(try client.answer()["X-Request-Id"]?.count == 32)
            try client.request("/absent", fields: "X-Request-Id: c\r\n")
            #expect(try client.answer()["X-Request-Id"] == "c")
            try client.request("/healthz", fields: "X-Request-Id: d\r\nTransfer-Encoding: gzip\r\n")
            let refused = try client.answer()
            #expect(refused.status == 400)
            #expect(refused["X-Request-Id"] == "d")
        }
    }

    @Test func aValueCannotEndItsLine() async throws {
        try await withServer { fixture in
            let client = try fixture.connect()
            try client.request("/split")
            let answer = try client.answer()
            #expect(answer["X-Odd"] == "a  X-Injected: b")
            #expect(answer["X-Injected"] == nil)
        }
    }

    @Test func theHooksSeeEveryAnswer() async throws {
        let seen = Mutex<[String]>([])
        try await withServer {
            $0.onResponse = { request, response, _ in
                seen.withLock {
                    $0.append("\(request?.route ?? "-") \(request?.routeIndex ?? -1) \(response.status)")
                }
            }
            $0.errorResponse = { error, request in
                .text("\(error.status) \(request?.path ?? "-")", status: error.status)
            }
        } _: { fixture in
            let client = try fixture.connect()
            try client.request("/items/1")
            _ = try client.answer()
            try client.request("/absent?a=b")
            #expect(try client.answer().text == "404 /absent")
            try client.send("rubbish\r\n")
            #expect(try client.answer().text == "400 -")
        }
        #expect(seen.withLock { $0 } == ["/items/{item} 3 200", "- -1 404", "- -1 400"])
    }
}
