import Testing

@testable import JSON

/// What Swift types are made of a text.
@Suite struct DecodingTests {
    @Test(
        arguments: [
            ("0", 0), ("-0", 0), ("1.0", 1), ("1e3", 1_000), ("10e-1", 1), ("1.50e1", 15), ("-1.0e0", -1), ("0e400", 0),
            ("0.000e-9", 0),
            ("9007199254740993", 9_007_199_254_740_993), ("9007199254740993.0", 9_007_199_254_740_993),
            ("9223372036854775807", Int.max), ("-9223372036854775808", Int.min), ("9223372036854775.807e3", Int.max),
            ("1.5", nil), ("1e-1", nil), ("9223372036854775808", nil), ("-9223372036854775809", nil), ("1e19", nil),
            ("1e400", nil),
            ("1e99999999999999999999", nil), ("1e-99999999999999999999", nil), ("true", nil), ("\"1\"", nil),
            ("null", nil), ("[]", nil),
        ] as [(String, Int?)])
    func integersAreExactOrRefused(_ json: String, _ integer: Int?) {
        #expect((try? Int(json: Array(json.utf8))) == integer)
        #expect((try? Int8(json: Array(json.utf8))) == integer.flatMap { Int8(exactly: $0) })
    }

    @Test(
        arguments: [
            ("0", 0), ("1.5", 1.5), ("-2e3", -2_000), ("1795864692.01", 1_795_864_692.01), ("1e-400", 0),
            ("1.7976931348623157e308", 1.7976931348623157e308),
            ("1e400", nil), ("-1e400", nil), ("\"1\"", nil), ("null", nil),
        ] as [(String, Double?)])
    func numbersAreFiniteOrRefused(_ json: String, _ number: Double?) {
        #expect((try? Double(json: Array(json.utf8))) == number)
    }

    @Test func negativeZeroKeepsItsSign() throws {
        #expect(try Double(json: Array("-0".utf8)).sign == .minus)
    }

    private struct Inner: Decodable, Equatable {
        let list: [Int?]
        let word: String?
    }

    private struct Outer: Decodable, Equatable {
        let inner: [Inner]
        let flag: Bool
        let absent: Int?
        let map: [String: Double]
    }

    @Test func typesAreMadeOfTheirMembersAndTheRestIsPassedOver() throws {
        let json = #"""
            {"rest":[[{"inner":1}]],"inner":[{"list":[1,null,2],"word":"w"},{"word":null,"list":[],"x":{}}],
             "flag":true,"map":{"a":1,"ñ":2.5}}
            """#
        let outer = try Outer(json: Array(json.utf8))
        #expect(outer.inner == [Inner(list: [1, nil, 2], word: "w"), Inner(list: [], word: nil)])
        #expect(outer.flag && outer.absent == nil && outer.map == ["a": 1, "ñ": 2.5])
    }

    @Test func membersAreFoundByTheBytesOfTheirNames() throws {
        enum Key: String, CodingKey {
            case composed = "\u{f1}"
            case decomposed = "n\u{303}"
        }
        struct Both: Decodable {
            let composed: Int
            let decomposed: Int
            init(from decoder: any Decoder) throws {
                let container = try decoder.container(keyedBy: Key.self)
                composed = try container.decode(Int.self, forKey: .composed)
                decomposed = try container.decode(Int.self, forKey: .decomposed)
            }
        }
        let both = try Both(json: Array(#"{"n\u0303":2,"\u00f1":1}"#.utf8))
        #expect(both.composed == 1 && both.decomposed == 2)
    }

    @Test(arguments: [
        (#"{"flag":true,"map":{}}"#, "keyNotFound inner"),
        (#"{"inner":{},"flag":true,"map":{}}"#, "typeMismatch inner"),
        (#"{"inner":[{"list":[1,"2"]}],"flag":true,"map":{}}"#, "typeMismatch inner.0.list.1"),
        (#"{"inner":[],"flag":null,"map":{}}"#, "valueNotFound flag"),
        (#"{"inner":[],"flag":1,"map":{}}"#, "typeMismatch flag"),
        (#"{"inner":[],"flag":true,"map":{"a":1e400}}"#, "dataCorrupted map.a"), ("[]", "typeMismatch "),
        ("null", "valueNotFound "),
    ])
    func errorsTellThePath(_ json: String, _ expected: String) {
        func path(_ context: DecodingError.Context, _ key: (any CodingKey)? = nil) -> String {
            (context.codingPath + (key.map { [$0] } ?? [])).map(\.stringValue).joined(separator: ".")
        }
        do {
            _ = try Outer(json: Array(json.utf8))
            Issue.record("was taken")
        } catch DecodingError.keyNotFound(let key, let context) {
            #expect("keyNotFound \(path(context, key))" == expected)
        } catch DecodingError.typeMismatch(_, let context) {
            #expect("typeMismatch \(path(context))" == expected)
        } catch DecodingError.valueNotFound(_, let context) {
            #expect("valueNotFound \(path(context))" == expected)
        } catch DecodingError.dataCorrupted(let context) {
            #expect("dataCorrupted \(path(context))" == expected)
        } catch {
            Issue.record(error)
        }
    }

    @Test func aFragmentIsReadAsFarAsItIsNeeded() throws {
        let json = Array(#"{"a":"t\n","b":["x","y"],"c":{ "d \"\\" : [1, " \\\" "] },"e":["x",["y"]],"f":[]}"#.utf8)
        let fragments = try [String: JSONFragment](json: json)
        #expect(fragments["a"]?.text == "t\n" && fragments["a"]?.texts == nil && fragments["a"]?.json == nil)
        #expect(fragments["b"]?.texts.map { Array($0) } == ["x", "y"])
        #expect(fragments["c"]?.json.map { String(decoding: $0, as: UTF8.self) } == #"{"d \"\\":[1," \\\" "]}"#)
        #expect(fragments["e"]?.texts == nil && fragments["f"]?.texts?.isEmpty == true)
    }
}
