import Foundation
import Testing

@testable import Log

@Suite struct LoggerTests {
    @Test func aLineIsOneJSONObjectWhateverItsTextHolds() throws {
        let hostile = "a \"quote\", a \\, a line\nbreak, a bell \u{7} and ünï"
        let line = Logger.line(
            .json, level: .warning, time: "2026-05-21T03:42:11.482Z", message: hostile, fields: ["request_id": "r\t1"])
        #expect(line.filter { $0 == "\n" }.count == 1)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String])
        #expect(
            object == [
                "time": "2026-05-21T03:42:11.482Z", "level": "warning", "message": hostile, "request_id": "r\t1",
            ])
    }

    @Test func theFormForPeopleKeepsControlCharactersFromTheTerminal() {
        let line = Logger.line(.people, level: .info, time: "T", message: "a\u{1b}[31mb", fields: ["key": "v\nw"])
        #expect(line == "T info a\\u001b[31mb  key=v\\nw\n")
    }

    @Test func timesHaveMillisecondsAndAZone() {
        #expect(Logger.timestamp().wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil)
    }
}
