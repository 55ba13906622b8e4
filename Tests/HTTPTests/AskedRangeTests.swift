import TestTurns
import Testing

@testable import HTTP

/// RFC 9110, section 14.
@Suite(.takesTurns) struct AskedRangeTests {
    @Test(arguments: [
        ("bytes=0-0", 0..<1), ("bytes=2-", 2..<10), ("bytes=2-9", 2..<10), ("bytes=2-10", 2..<10), ("bytes=-3", 7..<10),
        ("bytes=-11", 0..<10), ("Bytes=0-99999999999999999999", 0..<10), ("bytes=-99999999999999999999", 0..<10),
        ("bytes=9-9223372036854775807", 9..<10),
    ]) func oneRange(_ field: String, _ part: Range<Int>) {
        #expect(AskedRange(field, of: 10) == .part(part))
    }

    @Test(arguments: ["bytes=10-", "bytes=10-11", "bytes=-0", "bytes=99999999999999999999-"])
    func none(_ field: String) {
        #expect(AskedRange(field, of: 10) == .unsatisfiable)
    }

    @Test(arguments: [
        nil, "", "bytes", "bytes=", "bytes=-", "bytes=5-4", "bytes=1-2,4-5", "bytes=a-b", "bytes= 1-2", "bytes=+1-2",
        "bytes=1--2", "lines=1-2", "bytes=٣-", "bytes=1-2 ",
    ]) func anythingElse(_ field: String?) {
        #expect(AskedRange(field, of: 10) == .whole)
    }

    @Test func nothingHasNoParts() {
        #expect(AskedRange("bytes=0-", of: 0) == .unsatisfiable)
        #expect(AskedRange("bytes=-5", of: 0) == .unsatisfiable)
        #expect(AskedRange(nil, of: 0) == .whole)
    }
}
