import Foundation
import Testing

@testable import Log

@Suite struct LoggerTests {
    /// 2026-05-21T03:42:11.482Z
    private static let time = 1_779_334_931_482

    @Test func aLineIsOneJSONObjectWhateverItsTextHolds() throws {
        let hostile = "a \"quote\", a \\, a line\nbreak, a bell \u{7} and ünï"
        let line = Logger.line(
            .json, level: .warning, milliseconds: Self.time, message: hostile,
            fields: ["request_id": "r\t1", "trace_id": ""])
        #expect(line.filter { $0 == UInt8(ascii: "\n") }.count == 1)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line)) as? [String: String])
        #expect(
            object == [
                "time": "2026-05-21T03:42:11.482Z", "level": "warning", "message": hostile, "request_id": "r\t1",
                "trace_id": "",
            ])
    }

    @Test func theFormForPeopleKeepsControlCharactersFromTheTerminal() {
        let line = Logger.line(
            .people, level: .info, milliseconds: Self.time, message: "a\u{1b}[31mb", fields: ["key": "v\nw", "no": ""])
        #expect(
            String(decoding: line, as: UTF8.self) == "2026-05-21T03:42:11.482Z info a\\u001b[31mb  key=v\\nw\n")
    }

    @Test func deleteIsAControlCharacterToo() {
        #expect("a\u{7f}b".jsonEscaped == "a\\u007fb")
    }

    @Test func levelsAscend() {
        #expect(Logger.Level.allCases.sorted() == [.debug, .info, .warning, .error])
        #expect(Logger.Level.debug < .error)
    }

    @Test func theFormIsTheOneThatWasAskedFor() {
        #expect(Logger(format: .people).format == .people && Logger(format: .json).format == .json)
    }
}
