import JSON
import TestTurns
import Testing
import Usher

@testable import API

/// Bodies are JSON and nothing else, whoever sends them, and no larger in any respect than what they can be good for.
@Suite(.takesTurns) struct JSONBodyTests {
    @Test func whatIsNotStrictlyJSONIsRefusedWithThePlace() async throws {
        try await TestNode.with { node in
            let cases = [
                ("{\"email\":\"a@example.com\",}", "body", "must be valid JSON: a comma before } at byte 25"),
                (
                    "{\"email\":\"a@example.com\",\"max_concurrent_bots\":01}", "body",
                    "must be valid JSON: a number with a zero too many before it at byte 47"
                ),
                (
                    "{\"email\":\"a@example.com\",\"email\":\"b@example.com\"}", "email",
                    "must be there once: again at byte 25"
                ),
                ("{\"email\":\"a@example.com\",\"\\u0065mail\":1}", "email", "must be there once: again at byte 25"),
                ("{\"email\":\"a@example.com\"}{}", "body", "must be valid JSON: something after the end at byte 25"),
                (
                    "{\"email\":\"\\ud800@example.com\"}", "body",
                    "must be valid JSON: half of a surrogate pair at byte 10"
                ),
                (
                    "{\"x\":\(String(repeating: "[", count: 400))", "body",
                    "must have at most 32 levels: one more at byte 36"
                ),
            ]
            for (body, field, problem) in cases {
                let answer = try node.admin("POST", "/users", body: body)
                #expect(answer.field == field, "\(body): \(answer.body)")
                #expect(answer.detail == "\(field) \(problem).", "\(body): \(answer.body)")
            }
            #expect(try node.admin("GET", "/users").body == "[]")
        }
    }

    /// What held a loop for seconds, with what else has the most parts for its bytes.
    @Test(arguments: [
        ("bot_logs", nested(400, "{}", 2_000), "levels"), ("bot_logs", nested(30, "{}", 200_000), "values"),
        ("error_details", nested(1, "0", 500_000), "values"), ("unknown", nested(1, "0", 500_000), "values"),
        ("reason", nested(1, "\"\"", 300_000), "values"), ("speaker_events", nested(1, "{\"a\":0}", 130_000), "values"),
    ])
    func aReportOfTooManyPartsIsRefusedBeforeAnythingIsMadeOfIt(_ member: String, _ value: String, _ limit: String) {
        let body = "{\"connection_id\":\"x\",\"status\":\"completed\",\"\(member)\":\(value)}"
        do {
            _ = try JSONBody.decode(StatusReportBody.self, from: Array(body.utf8), limits: .ofMessages)
            Issue.record("was taken")
        } catch let error as APIError {
            #expect(error.status == 422 && error.detail.contains(limit), "\(error.detail)")
        } catch {
            Issue.record(error)
        }
    }

    @Test func aReportWithALongLogIsTaken() throws {
        let lines = (0..<20_000).map { "\"2026-11-28T14:45:00.000Z line \($0)\"" }.joined(separator: ",")
        let body = "{\"connection_id\":\"x\",\"status\":\"completed\",\"bot_logs\":[\(lines)]}"
        let report = try JSONBody.decode(StatusReportBody.self, from: Array(body.utf8), limits: .ofMessages).report
        #expect(report.fields["bot_output"]?.hasSuffix("line 19999") == true)
    }

    @Test(
        arguments: [
            (#"["a","b"]"#, "a\nb"), (#""text""#, "text"), (#"{"a": [1, null]}"#, #"{"a":[1,null]}"#),
            (" [ [1] ,2]", "[[1],2]"),
            ("7", "7"), ("[]", nil), ("\"\"", nil), ("null", nil), (#"["","",""]"#, "\n\n"),
        ] as [(String, String?)])
    func whatABotTellsOfItsFailureIsKeptWhateverItsForm(_ json: String, _ kept: String?) throws {
        let body = "{\"connection_id\":\"x\",\"status\":\"failed\",\"error_details\":\(json),\"bot_logs\":\(json)}"
        let report = try JSONBody.decode(StatusReportBody.self, from: Array(body.utf8), limits: .ofMessages).report
        #expect(report.fields["error_details"] == kept && report.fields["bot_output"] == kept)
    }

    /// What a bot tells is kept, though it be one letter with half a million marks on it: to compare that takes minutes.
    @Test func marksBeyondAllBoundsAreLeftOut() throws {
        let text = "e" + String(repeating: "\u{345}", count: 250_000) + String(repeating: "\u{334}", count: 250_000)
        let body = "{\"connection_id\":\"x\",\"status\":\"failed\",\"error_details\":\"\(text)\"}"
        let report = try JSONBody.decode(StatusReportBody.self, from: Array(body.utf8), limits: .ofMessages).report
        let kept = "e" + String(repeating: "\u{345}", count: 64)
        #expect(report.fields["error_details"]?.utf8.elementsEqual(kept.utf8) == true)
    }

    /// A text of any form is cut between two characters.
    @Test(arguments: [
        "\"" + String(repeating: "é", count: 10_000) + "\"",
        "{\"a\":\"" + String(repeating: "😀é", count: 10_000) + "\"}",
        "[" + Array(repeating: "\"é\"", count: 10_000).joined(separator: ",") + "]",
    ])
    func whatIsKeptIsBoundedInBytes(_ json: String) throws {
        for padding in ["", "x"] {
            let value = json.replacing("\"e", with: "\"\(padding)e")
            let body =
                "{\"connection_id\":\"x\",\"status\":\"failed\",\"error_details\":\(value),\"bot_logs\":\(value)}"
            let fields = try JSONBody.decode(StatusReportBody.self, from: Array(body.utf8), limits: .ofMessages).report
                .fields
            for (field, maximum) in [("error_details", 2_000), ("bot_output", 4_096)] {
                let kept = try #require(fields[field])
                #expect(((maximum - 3)...maximum).contains(kept.utf8.count) && !kept.contains("\u{fffd}"), "\(field)")
            }
        }
    }
}

private func nested(_ levels: Int, _ value: String, _ count: Int) -> String {
    String(repeating: "[", count: levels) + Array(repeating: value, count: count).joined(separator: ",")
        + String(repeating: "]", count: levels)
}
