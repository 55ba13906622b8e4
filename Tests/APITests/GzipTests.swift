import TestTurns
import Testing

@testable import API

@Suite(.takesTurns) struct GzipTests {
    @Test(arguments: [
        ("gzip", true), ("GZIP ; q=0.001", true), ("br, x-gzip", true), ("*", true), ("identity, *;q=0.1", true),
        ("gzip;q=0, *", false), ("*;q=0, gzip", true), ("*, gzip;q=0", false), ("gzipped", false), ("", false),
        (",;,", false), ("gzip;q=", false), ("gzip;q=-1", false), ("deflate", false),
    ])
    func whatIsAcceptedIsReadAsTheCallerMeansIt(_ field: String, _ isAccepted: Bool) {
        #expect(Gzip.isAccepted(field) == isAccepted)
    }

    @Test func nobodyWhoSaysNothingGetsIt() {
        #expect(!Gzip.isAccepted(nil))
    }

    @Test func whatIsCompressedIsSmallerAndInTheFormat() throws {
        let bytes = Array(String(repeating: "meeting ", count: 1_000).utf8)
        let compressed = try #require(Gzip.compressed(bytes))
        #expect(compressed.count < 200 && compressed.starts(with: [0x1f, 0x8b, 8]))
        #expect(try #require(Gzip.compressed([])).count < 64)
    }
}
