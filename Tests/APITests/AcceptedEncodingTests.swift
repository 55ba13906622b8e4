import TestTurns
import Testing

@testable import API

@Suite(.takesTurns) struct AcceptedEncodingTests {
    @Test(arguments: [
        ("gzip", true), ("GZIP ; q=0.001", true), ("br, x-gzip", true), ("*", true), ("identity, *;q=0.1", true),
        ("gzip;q=0, *", false), ("*;q=0, gzip", true), ("*, gzip;q=0", false), ("gzipped", false), ("", false),
        (",;,", false), ("gzip;q=", false), ("gzip;q=-1", false), ("deflate", false),
    ])
    func whatIsAcceptedIsReadAsTheCallerMeansIt(_ field: String, _ isAccepted: Bool) {
        #expect(AcceptedEncoding.allowsGzip(field) == isAccepted)
    }

    @Test func nobodyWhoSaysNothingGetsIt() {
        #expect(!AcceptedEncoding.allowsGzip(nil))
    }
}
