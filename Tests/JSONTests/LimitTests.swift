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

    /// As they are, escaped, and half and half; a name's as well as a text's. The 65th stands at `place`.
    @Test(arguments: [
        ("\"a" + marks(64), "\u{334}", "b\"", 130), ("[\"" + escapedMarks(64), "\\u0334", "\"]", 386),
        ("\"" + marks(32) + escapedMarks(32), "\u{334}", "\"", 257), ("{\"" + marks(64), "\u{334}", "\":1}", 130),
        ("\"" + escapedMarks(64), "\u{334}", "\\n" + marks(64) + "é" + marks(64) + "\"", 385),
    ])
    func marksInARow(_ begin: String, _ mark: String, _ end: String, _ place: Int) throws {
        let strict = JSONLimits(mendsTexts: false)
        #expect(Self.problem(begin + end, strict) == nil)
        #expect(
            Self.problem(begin + mark + end, strict)
                == "must have at most 64 combining marks in a row: one more at byte \(place)")
        for more in [1, 2, 1_000] {
            let mended = try text(begin + String(repeating: mark, count: more) + end)
            #expect(mended.utf8.elementsEqual(try text(begin + end).utf8))
        }
    }

    /// The first name or text.
    private func text(_ json: String) throws -> String {
        let whole = JSONFragment(try JSONDocument(Array(json.utf8)))
        return try #require(whole.text ?? whole.texts?.first ?? whole.members?.first?.name)
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

/// Of two bytes each.
private func marks(_ count: Int) -> String { String(repeating: "\u{301}", count: count) }

private func escapedMarks(_ count: Int) -> String { String(repeating: "\\u0301", count: count) }
