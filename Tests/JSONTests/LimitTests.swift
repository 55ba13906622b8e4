import Testing

@testable import JSON

/// Each limit is met exactly, and refused with the place where it is passed.
@Suite struct LimitTests {
    private static func problem(_ json: String, _ limits: JSONLimits) -> String? {
        SyntaxTests.problem(Array(json.utf8), limits)?.problem
    }

    @Test func bytes() {
        #expect(Self.problem("[1]", JSONLimits(bytes: 3)) == nil)
        #expect(Self.problem("[1] ", JSONLimits(bytes: 3)) == "must have at most 3 bytes: one more at byte 3")
    }

    @Test(arguments: ["[", "{\"a\":"])
    func levels(_ opening: String) {
        let closing = opening == "[" ? "]" : "}"
        func nested(_ levels: Int) -> String {
            String(repeating: opening, count: levels - 1) + "[]" + String(repeating: closing, count: levels - 1)
        }
        #expect(Self.problem(nested(32), JSONLimits()) == nil)
        let offset = opening.utf8.count * 32
        #expect(Self.problem(nested(33), JSONLimits()) == "must have at most 32 levels: one more at byte \(offset)")
        // Of what is never closed it is all the same.
        let open = String(repeating: opening, count: 100_000)
        #expect(Self.problem(open, JSONLimits()) == "must have at most 32 levels: one more at byte \(offset)")
    }

    @Test(arguments: ["0", "\"\"", "[]", "{}", "null"])
    func values(_ value: String) {
        let list = { (count: Int) in "[" + Array(repeating: value, count: count).joined(separator: ",") + "]" }
        #expect(Self.problem(list(9), JSONLimits(values: 10)) == nil)
        let offset = 1 + 9 * (value.utf8.count + 1)
        #expect(
            Self.problem(list(10), JSONLimits(values: 10)) == "must have at most 10 values: one more at byte \(offset)")
    }

    @Test func numbers() {
        let long = String(repeating: "1", count: 64)
        #expect(Self.problem(long, JSONLimits()) == nil)
        #expect(
            Self.problem("-" + long, JSONLimits())?.contains("64 characters in a number: one more at byte 64") == true)
    }

    /// Names that all differ, however many: of quadratic cost, this would take minutes.
    @Test func manyNamesAreNoBurden() {
        let members = (0..<200_000).map { "\"\($0)\":0" }.joined(separator: ",")
        #expect(Self.problem("{\(members)}", JSONLimits(values: 300_000)) == nil)
    }
}
