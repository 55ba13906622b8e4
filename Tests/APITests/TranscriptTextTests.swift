import Testing

@testable import API

/// What people say and are called is text in each form, whatever it looks like.
struct TranscriptTextTests {
    private static func write(_ text: String, speaker: String = "Ana", as format: TranscriptFormat) throws -> String {
        var writer = TranscriptText(title: "t", format)
        let words = ["start": "1", "end": "2", "text": "\"\(text)\"", "speaker": "\"\(speaker)\""]
        let json = "{" + words.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
        return String(decoding: writer.text(of: Array(json.utf8)), as: UTF8.self)
    }

    private static func count(_ part: String, in text: String) -> Int {
        let (part, text) = (Array(part.unicodeScalars), Array(text.unicodeScalars))
        return text.indices.count { text[$0...].starts(with: part) }
    }

    /// Marks make other characters of what is before them: to a player they are the same bytes.
    @Test(arguments: [
        "a --> b", "a -----> b", "a --\u{2D}>\u{301} b", "-->\u{200D}-->", "--\u{301}> --->>",
        "a\u{85}b\u{2028}c\u{2029}d\\u000be",
    ])
    func noCueBeginsWithinOne(_ text: String) throws {
        for format in [TranscriptFormat.srt, .vtt] {
            let written = try Self.write(text, speaker: text, as: format)
            #expect(Self.count("-->", in: written) == 1, "\(written)")
            #expect(written.split(separator: "\n", omittingEmptySubsequences: false).count == (format == .srt ? 5 : 4))
            for end in ["\u{85}", "\u{2028}", "\u{2029}", "\u{b}"] { #expect(Self.count(end, in: written) == 0) }
        }
    }

    @Test(arguments: ["<b>", "<\u{301}b>", "&\u{301}lt;", "</v>\u{20D2}"])
    func noMarkupIsTaken(_ text: String) throws {
        let written = try Self.write(text, speaker: text, as: .vtt)
        // The one of its own, around the speaker, and the arrow's.
        #expect(Self.count("<", in: written) == 1 && Self.count(">", in: written) == 2)
        #expect(
            written.unicodeScalars.split(separator: "&").dropFirst().allSatisfy { part in
                ["lt;", "gt;", "amp;"].contains { String(part).unicodeScalars.starts(with: $0.unicodeScalars) }
            })
    }

    /// With one pass for each arrow it would take minutes.
    @Test func arrowsTakeTimeByTheirBytesAlone() throws {
        let written = try Self.write(String(repeating: "-->", count: 100_000), as: .srt)
        #expect(Self.count("-->", in: String(written.prefix(200))) == 1)
    }
}
