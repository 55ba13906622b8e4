import Testing

@testable import JSON

/// What RFC 8259 allows is taken, and nothing else.
@Suite struct SyntaxTests {
    static func problem(_ json: [UInt8], _ limits: JSONLimits = JSONLimits(mendsTexts: false)) -> JSONError? {
        do throws(JSONError) {
            _ = try JSONDocument(json, limits: limits)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [
        "0", "-0", "1", "-1.5e+10", "1E-2", "10", "0.5", "0e0", "true", "false", "null", "\"\"", "[]", "{}",
        " \t\r\n[ ] ",
        "[0,[1],{}]", #"{"a":1,"b":{"a":2},"c":[{"a":3}]}"#, #""\"\\\/\b\f\n\r\t\u0041\u00e9\ud83d\ude00""#,
        "\"é€😀\u{7f}\"",
        #"{"":0," ":1}"#, "[1e400,123456789012345678901234567890]",
    ])
    func whatIsJSONIsTaken(_ json: String) {
        #expect(Self.problem(Array(json.utf8)) == nil)
    }

    /// Wherever it stands among others that are looked at eight at once.
    @Test func eachByteInATextStandsForItselfOrIsRefused() {
        for byte in UInt8.min...UInt8.max {
            let isPlain = (0x20..<0x80).contains(byte) && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
            for length in 1...18 {
                for place in 0..<length {
                    var text = [UInt8](repeating: byte == 0x21 ? 0x20 : 0x21, count: length)
                    text[place] = byte
                    let problem = Self.problem([UInt8(ascii: "\"")] + text + [UInt8(ascii: "\"")])
                    #expect((problem == nil) == isPlain, "byte \(byte) at \(place) of \(length)")
                }
            }
        }
    }

    @Test(arguments: [
        ("", "an unexpected end at byte 0"), (" ", "an unexpected end at byte 1"), ("[", "an unexpected end at byte 1"),
        ("{\"a\"", "an unexpected end at byte 4"), ("{\"a\":", "an unexpected end at byte 5"),
        ("\"a", "an unexpected end at byte 2"), ("\"\\", "an unexpected end at byte 2"),
        ("\"\\u12", "an unexpected end at byte 5"), ("-", "an unexpected end at byte 1"),
        ("1e", "an unexpected end at byte 2"),
        ("[1,]", "a comma before ] at byte 3"), ("{\"a\":1,}", "a comma before } at byte 7"),
        ("[,1]", "no value at byte 1"),
        ("[1,,2]", "no value at byte 3"), ("[1 2]", "neither a comma nor ] after a value at byte 3"),
        ("{\"a\":1 \"b\"", "neither a comma nor } after a value at byte 7"),
        ("[1}", "neither a comma nor ] after a value at byte 2"),
        ("{a:1}", "no name in quotes at byte 1"), ("{1:1}", "no name in quotes at byte 1"),
        ("{'a':1}", "no name in quotes at byte 1"),
        ("{\"a\" 1}", "no colon after a name at byte 5"), ("{\"a\":}", "no value at byte 5"),
        ("01", "a number with a zero too many before it at byte 0"),
        ("-00", "a number with a zero too many before it at byte 1"),
        ("+1", "a number that does not begin with a digit at byte 0"),
        (".5", "a number that does not begin with a digit at byte 0"),
        ("[1.]", "a number that lacks a digit at byte 3"), ("[-]", "a number that lacks a digit at byte 2"),
        ("[1e+]", "a number that lacks a digit at byte 4"), ("0x10", "something after the end at byte 1"),
        ("NaN", "no value at byte 0"), ("Infinity", "no value at byte 0"),
        ("-Infinity", "a number that lacks a digit at byte 1"),
        ("tru", "no value at byte 0"), ("True", "no value at byte 0"), ("nul", "no value at byte 0"),
        ("'a'", "no value at byte 0"),
        ("1 2", "something after the end at byte 2"), ("{}{}", "something after the end at byte 2"),
        ("[]]", "something after the end at byte 2"),
        ("[1]\0", "something after the end at byte 3"), ("// c\n1", "no value at byte 0"),
        ("\u{a0}1", "no value at byte 0"),
        ("\"\n\"", "a control character that is not escaped at byte 1"),
        ("\"\0\"", "a control character that is not escaped at byte 1"),
        (#""\x""#, "an unknown escape at byte 1"), (#""\u00g0""#, "an escape without its four digits at byte 5"),
        (#""\U0041""#, "an unknown escape at byte 1"), (#""a\ud800""#, "half of a surrogate pair at byte 2"),
        (#""\udc00""#, "half of a surrogate pair at byte 1"),
        (#""\ud800\ud800""#, "half of a surrogate pair at byte 1"),
        (#""\ud800\n""#, "half of a surrogate pair at byte 1"),
        (#""\ud83d\u0041""#, "half of a surrogate pair at byte 1"),
        ("\u{feff}{}", "a byte order mark at byte 0"),
    ])
    func whatIsNoneIsRefusedWithThePlace(_ json: String, _ what: String) {
        #expect(Self.problem(Array(json.utf8))?.problem == "must be valid JSON: \(what)")
    }

    /// As a program cuts a text, and writes what is left of it.
    @Test(arguments: [
        (#""a\ud83d""#, "a\u{fffd}"), (#""\udc00b""#, "\u{fffd}b"), (#""\ud83d\u0041""#, "\u{fffd}A"),
        (#""\ud83d\ud83d\ude00""#, "\u{fffd}\u{1f600}"), (#""\ud83d\n""#, "\u{fffd}\n"),
        (#""\ud83d\ude00""#, "\u{1f600}"),
    ])
    func halfOfAPairIsTakenWhereTextsAreCut(_ json: String, _ text: String) throws {
        let limits = JSONLimits()
        #expect(JSONFragment(try JSONDocument(Array(json.utf8), limits: limits)).text == text)
        #expect(Self.problem(Array(#""\ud83d\u00g0""#.utf8), limits)?.problem.contains("four digits") == true)
        #expect(Self.problem(Array(#""\ud83d"#.utf8), limits)?.problem.contains("an unexpected end") == true)
    }

    @Test(
        arguments: [
            [0x80], [0xc3], [0xc0, 0xaf], [0xc1, 0x81], [0xe0, 0x80, 0xaf], [0xed, 0xa0, 0x80],
            [0xf0, 0x80, 0x80, 0xaf],
            [0xf4, 0x90, 0x80, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xff], [0xe2, 0x82], [0xf0, 0x9f, 0x98], [0xc3, 0x28],
        ] as [[UInt8]])
    func whatIsNotUTF8IsRefused(_ bytes: [UInt8]) {
        let problem = "must be valid JSON: a byte that is not of UTF-8 at byte 2"
        #expect(Self.problem(Array("\"a".utf8) + bytes + Array("\"".utf8))?.problem == problem)
        #expect(Self.problem(Array("\"\\n".utf8) + bytes + Array("\"".utf8))?.offset == 3)
    }

    /// Every text that Swift can hold, as it is and escaped.
    @Test func textsAreReadAsTheyAreMeant() throws {
        let text = "a\"b\\c/\u{1}\n\u{7f}é€😀\u{10ffff}\u{fffd}\u{0}"
        let escaped = text.utf16.map {
            "\\u" + String(repeating: "0", count: 4 - String($0, radix: 16).count) + String($0, radix: 16)
        }
        #expect(try String(json: Array("\"\(escaped.joined())\"".utf8)) == text)
        #expect(
            try [String](json: Array(#"["\u00e9\u20AC\ud83D\uDe00","a\/b","é\n€"]"#.utf8)) == ["é€😀", "a/b", "é\n€"])
    }

    @Test func twoMembersOfOneNameAreRefusedWithTheirPath() {
        let cases: [(json: String, member: String, offset: Int)] = [
            (#"{"a":1,"a":2}"#, "a", 7), (#"{"a":1,"\u0061":1}"#, "a", 7),
            (#"{"b":[0,{"c":{},"d":0,"c":1}]}"#, "b[1].c", 22),
            (#"{"":0,"":0}"#, "", 6), (#"{"\u00f1":1,"ñ":2}"#, "ñ", 12),
        ]
        for (json, member, offset) in cases {
            let error = Self.problem(Array(json.utf8))
            #expect(error?.member == member && error?.offset == offset, "\(json)")
            #expect(error?.problem == "must be there once: again at byte \(offset)")
        }
        // The same name in other objects, and names that only look the same.
        for json in [#"[{"a":1},{"a":1}]"#, #"{"a":{"a":{"a":1}}}"#, #"{"ñ":1,"n\u0303":2}"#, #"{"a":1,"A":2,"a ":3}"#]
        {
            #expect(Self.problem(Array(json.utf8)) == nil, "\(json)")
        }
        let long = String(repeating: "x", count: 100_000)
        #expect(Self.problem(Array("{\"\(long)\":1,\"\(long)\":2}".utf8))?.member?.count == 64)
    }

    @Test func aDoubleIsFoundAmongManyMembers() {
        let members = (0..<10_000).map { "\"\(String($0, radix: 36))\":0" }
        #expect(Self.problem(Array("{\(members.joined(separator: ","))}".utf8)) == nil)
        let error = Self.problem(Array("{\(members.joined(separator: ",")),\"1\":0}".utf8))
        #expect(error?.member == "1")
    }
}
