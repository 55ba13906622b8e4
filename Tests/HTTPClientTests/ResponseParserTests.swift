import TestTurns
import Testing

@testable import HTTP

@Suite(.takesTurns) struct ResponseParserTests {
    struct Sample: CustomTestStringConvertible, Sendable {
        let wire: String
        var method = Method.get
        /// Whether the connection ends after the bytes.
        var ends = false
        /// nil: refused.
        var status: Int?
        var body = ""

        var testDescription: String { wire.replacing("\r\n", with: "|") }
    }

    static func accepted(
        _ wire: String, _ status: Int, _ body: String = "", method: Method = .get, ends: Bool = false
    ) -> Sample {
        Sample(wire: wire, method: method, ends: ends, status: status, body: body)
    }

    static let accepted = [
        accepted("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello"),
        accepted("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello"),
        accepted("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", 200),
        accepted("HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", 200),
        accepted("HTTP/1.1 409 Conflict\r\ncontent-length:2\r\n\r\n{}", 409, "{}"),
        accepted("HTTP/1.1 204 No Content\r\n\r\n", 204),
        accepted("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 304),
        accepted("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", 200, method: .head),
        accepted("HTTP/1.1 200 OK\r\n\r\nuntil the end", 200, "until the end", ends: true),
        accepted("HTTP/1.1 200 OK\r\n\r\n", 200, ends: true),
        accepted("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No\r\n\r\n", 204),
        accepted(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n", 200,
            "abc0123456789"),
        accepted("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n0002;a=b\r\nab\r\n0\r\n\r\n", 200, "ab"),
        accepted("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500 Ignored\r\n\r\n", 200, "ok"),
    ]

    static let refused = [
        "HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 099 OK\r\n\r\n", "HTTP/1.1 600 OK\r\n\r\n", "http/1.1 200 OK\r\n\r\n", "\r\n\r\n",
        "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n", "HTTP/1.1 200 O\rK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\na", "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\na",
        "HTTP/1.1 200 OK\r\nContent-Length: 1000000000000000000000\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length : 1\r\n\r\na", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: \0\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        String(repeating: "HTTP/1.1 100 Continue\r\n\r\n", count: 9) + "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nTrailer: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + String(repeating: "x", count: 300),
        "HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n",
        "HTTP/1.1 200 OK\r\n\r\n" + String(repeating: "x", count: 101),
        "HTTP/1.1 200 OK\r\nX: " + String(repeating: "x", count: 1_000),
        "HTTP/1.1 200 OK\r\n" + String(repeating: "X: y\r\n", count: 11) + "\r\n",
        String(repeating: "x", count: 1_001),
    ].map { Sample(wire: $0) }

    static let limits = {
        var limits = ClientLimits()
        limits.headBytes = 1_000
        limits.headerFields = 10
        limits.bodyBytes = 100
        return limits
    }()

    static func parse(_ sample: Sample, pieceBytes: Int) throws -> ClientResponse? {
        var parser = ResponseParser(answering: sample.method, limits: limits)
        let bytes = Array(sample.wire.utf8)
        for start in stride(from: 0, to: bytes.count, by: pieceBytes) {
            let piece = Array(bytes[start..<min(bytes.count, start + pieceBytes)])
            if let response = try piece.withUnsafeBufferPointer({ try parser.take($0) }) { return response }
        }
        return sample.ends ? try parser.takeEnd() : nil
    }

    @Test(arguments: accepted) func whatIsSoundIsUnderstoodInPiecesOfAnySize(sample: Sample) throws {
        for pieceBytes in 1...sample.wire.utf8.count {
            let response = try #require(try Self.parse(sample, pieceBytes: pieceBytes))
            #expect(response.status == sample.status)
            #expect(String(decoding: response.body, as: UTF8.self) == sample.body)
        }
    }

    @Test(arguments: refused) func whatBreaksTheRulesIsRefusedInPiecesOfAnySize(sample: Sample) {
        for pieceBytes in 1...sample.wire.utf8.count {
            #expect(throws: ResponseParser.Malformed.self) { try Self.parse(sample, pieceBytes: pieceBytes) }
        }
    }

    /// An answer that is cut anywhere is no answer.
    @Test(arguments: accepted.filter { !$0.ends }) func anAnswerThatEndsTooEarlyIsRefused(sample: Sample) throws {
        let whole = try #require(try Self.parse(sample, pieceBytes: sample.wire.utf8.count))
        for length in 0..<sample.wire.utf8.count {
            var cut = sample
            cut = Sample(
                wire: String(decoding: sample.wire.utf8.prefix(length), as: UTF8.self), method: sample.method,
                ends: true)
            if let response = try? Self.parse(cut, pieceBytes: 1_000) { #expect(response == whole) }
        }
    }

    @Test func fieldsAreFoundWhateverTheirCase() throws {
        let sample = Sample(wire: "HTTP/1.1 200 OK\r\nRetry-After:  5 \r\nA: 1\r\nA: 2\r\nContent-Length: 0\r\n\r\n")
        let response = try #require(try Self.parse(sample, pieceBytes: 7))
        #expect(response.header("retry-after") == "5")
        #expect(response.header("a") == nil)
        #expect(response.header("b") == nil)
        #expect(response.fields.map(\.name) == ["Retry-After", "A", "A", "Content-Length"])
    }
}
