import Log
import Testing

/// Texts are looked through eight bytes at a time: what is at each place of such a word, and in the rest behind it, is
/// seen.
@Suite struct JSONEscapingTests {
    private static let special: [Character: String] = [
        "\"": "\\\"", "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\u0000", "\u{1f}": "\\u001f",
        "\u{7f}": "\\u007f",
    ]

    @Test(arguments: 0..<27) func whatNeedsAnEscapeGetsItWhereverItStands(_ place: Int) {
        for (character, escape) in Self.special {
            var text = [Character](repeating: "a", count: 27)
            text[place] = character
            let escaped = text.map { $0 == character ? escape : String($0) }.joined()
            #expect(String(text).jsonEscaped == escaped)
        }
    }

    /// Bytes beside the special ones, and above those of ASCII, where a sum of eight bytes could go wrong.
    @Test func whatNeedsNoneStaysAsItIs() {
        let beside = " !#[]~\u{80}\u{a2}\u{dc}\u{ff}\u{100}\u{7ff}\u{fffd}\u{1f600}"
        for shift in 0..<8 {
            let text = String(repeating: "x", count: shift) + beside + beside
            #expect(text.jsonEscaped == text)
            #expect((text + "\"").jsonEscaped == text + "\\\"")
            #expect(("\"" + text + "\u{1}").jsonEscaped == "\\\"" + text + "\\u0001")
        }
    }
}
