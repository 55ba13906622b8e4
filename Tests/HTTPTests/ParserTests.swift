import TestTurns
import Testing

@testable import Fuzz
@testable import HTTP

@Suite(.takesTurns) struct ParserTests {
    @Test func theTableIsLarge() {
        #expect(samples.count >= 120)
        #expect(Set(samples.map(\.name)).count == samples.count, "names tell samples apart")
    }

    private func check(_ outcome: Outcome, _ sample: Sample, _ how: String) {
        switch sample.expectation {
        case .accepted(let bodies):
            #expect(outcome.refusal == nil, "\(how)")
            #expect(outcome.messages.map(\.body) == bodies.map { Array($0.utf8) }, "\(how)")
            #expect(!outcome.isWithinMessage, "\(how)")
        case .incomplete:
            #expect(outcome.refusal == nil && outcome.messages.isEmpty && outcome.isWithinMessage, "\(how)")
        case .refused(let status, let after):
            #expect(outcome.refusal == status, "\(how)")
            #expect(outcome.messages.count == after, "\(how)")
        }
    }

    @Test(arguments: samples) func aSampleReadsTheSameHoweverItIsSplit(_ sample: Sample) {
        let whole = Outcome(of: sample.input, cutAt: [], limits: sample.limits)
        check(whole, sample, "whole")
        check(Outcome(of: sample.input, cutAt: 0..<sample.input.count, limits: sample.limits), sample, "byte by byte")
        for cut in 0...sample.input.count {
            let split = Outcome(of: sample.input, cutAt: [cut], limits: sample.limits)
            if split != whole { Issue.record("cut at \(cut): \(split), whole: \(whole)") }
        }
    }

    @Test(arguments: samples) func aSampleKeepsTheInvariants(_ sample: Sample) {
        #expect(Invariants.violation(sample.input, cuts: [sample.input.count / 3, sample.input.count / 2]) == nil)
    }

    /// The limits by default are as the table's samples say too, but cutting those at every byte would take long.
    @Test(arguments: limitSamples(RequestParser.Limits())) func theLimitsByDefaultHold(_ sample: Sample) {
        check(Outcome(of: sample.input, cutAt: []), sample, "whole")
        check(Outcome(of: sample.input, cutAt: 0..<sample.input.count), sample, "byte by byte")
        check(Outcome(of: sample.input, cutAt: stride(from: 0, to: sample.input.count, by: 997)), sample, "in pieces")
    }

    @Test func theLimitsByDefaultAreThoseOfTheDesign() {
        let limits = RequestParser.Limits()
        #expect(limits.requestLineBytes == 8_192)
        #expect(limits.headerSectionBytes == 16_384)
        #expect(limits.headerFields == 100)
        #expect(limits.bodyBytes == 65_536)
    }

    @Test func theByteSetsAreThoseOfTheRFCs() {
        let alphanumeric = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
        for (set, others) in [
            (ByteSet.token, "!#$%&'*+-.^_`|~"), (.path, "-._~!$&'()*+,;=:@/"), (.hostName, "-._~"),
            (.requestIdentifier, "-._"),
        ] {
            let members = Set((alphanumeric + others).utf8)
            for byte in UInt8.min ... .max { #expect(set.contains(byte) == members.contains(byte), "byte \(byte)") }
        }
    }

    // MARK: Details that the table does not show

    private func parse(_ text: String) throws -> ParsedRequest {
        var parser = RequestParser()
        let bytes = Array(text.utf8)
        return try bytes.withUnsafeBufferPointer { bytes in
            var position = 0
            while true {
                switch parser.advance(bytes, at: &position) {
                case .complete(let request): return request
                case .head: continue
                case .failed(let error): throw error
                case .needMore: throw HTTPError(400, "the sample is incomplete")
                }
            }
        }
    }

    @Test func theHeadIsTakenApart() throws {
        let request = try parse(
            "PATCH /a%20b?c=d HTTP/1.1\r\nHost: e:80\r\nX-Thing:  one \r\nx-thing: two\r\nEmpty:\r\n\r\n")
        #expect(request.head.method == .patch)
        #expect(request.head.target == "/a%20b?c=d")
        #expect(request.head.path == "/a%20b")
        #expect(request.head.host == "e:80")
        #expect(request.head.value(of: "X-THING") == "one, two")
        #expect(request.head.values(of: "x-Thing") == ["one", "two"])
        #expect(request.head.value(of: "empty") == "")
        #expect(request.head.value(of: "absent") == nil)
        #expect(request.head.values(of: "absent").isEmpty)
        #expect(request.head.allFields.map(\.name) == ["Host", "X-Thing", "x-thing", "Empty"])
    }

    /// To compare thousands of them takes long.
    @Test func ofCombiningMarksInARowTheFirstCount() throws {
        let marks = String(repeating: "\u{345}", count: 600) + String(repeating: "\u{334}", count: 600)
        let kept = "a" + String(repeating: "\u{345}", count: 64)
        let request = try parse("GET / HTTP/1.1\r\nHost: e\r\nUpgrade: a\(marks)\r\n\r\n")
        #expect(request.head.value(of: "upgrade")?.utf8.elementsEqual(kept.utf8) == true)
        #expect(request.head.values(of: "upgrade").map(\.utf8.count) == [kept.utf8.count])
    }

    @Test func theHostOfAnAbsoluteFormCounts() throws {
        let request = try parse("GET http://b.example:81?c HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(request.head.host == "b.example:81")
        #expect(request.head.path == "/")
        #expect(request.head.target == "http://b.example:81?c")
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", true),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, CLOSE\r\n\r\n", false),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n", true),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n", false),
        ("GET / HTTP/1.0\r\n\r\n", false),
        ("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true),
        ("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false),
    ])
    func theConnectionIsKeptAsTheRFCSays(_ text: String, _ isKept: Bool) throws {
        #expect(try parse(text).head.isKeptAlive == isKept)
    }

    @Test func nothingIsHeldBetweenMessages() {
        var parser = RequestParser()
        let bytes = Array("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello\r\n".utf8)
        bytes.withUnsafeBufferPointer { bytes in
            var position = 0
            while case .head = parser.advance(bytes, at: &position) {}
            #expect(position == bytes.count - 2)
            guard case .needMore = parser.advance(bytes, at: &position) else {
                Issue.record("an empty line is no message")
                return
            }
        }
        #expect(parser.heldBytes == 0)
        #expect(!parser.hasBegun, "an empty line begins no message")
    }

    @Test func aFailedParserStaysFailed() {
        var parser = RequestParser()
        for text in ["GET /\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"] {
            Array(text.utf8).withUnsafeBufferPointer { bytes in
                var position = 0
                guard case .failed(let error) = parser.advance(bytes, at: &position) else {
                    Issue.record("\(text) is taken")
                    return
                }
                #expect(error.status == 400)
            }
        }
    }

    @Test func anInterimAnswerIsCalledForOnlyBeforeABody() {
        for (fields, count) in [("Content-Length: 2\r\n", 1), ("Content-Length: 0\r\n", 0), ("", 0)] {
            let text = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\(fields)\r\nhi"
            #expect(Outcome(of: Array(text.utf8), cutAt: []).expectations == count, "\(fields)")
        }
    }
}
