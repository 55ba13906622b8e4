import API
import Usher

extension Target {
    /// What takes the square of its length to compare, if it is not bounded.
    static let longMarks = String(repeating: "\u{345}", count: 2_000) + String(repeating: "\u{334}", count: 2_000)

    private static let jsonTokens = [
        "{", "}", "[", "]", ",", ":", "\"", "\\", "\"\":", "null", "true", "false", "0", "-0", "1.5", "1e400",
        "-1e-400", "01",
        "9007199254740993", "9223372036854775808", "\\u0000", "\\ud800", "\\udc00", "\\ud83d\\ude00", "\\u00f1",
        "n\u{303}", "\u{e4}", longMarks,
        "\u{feff}", "\0", "\n", " ", "[[[[", "]]]]", "{\"\":", "\"a\":1,\"a\":2", "{},", "0,",
    ]

    /// The bodies of all requests, each input read as one of them: what is not taken is refused with an error of its own.
    static let json = Target(name: "json", maximumBytes: 1 << 20, tokens: jsonTokens) { input, _ in
        // Not at random, so that an input is the same each time.
        let index = (input.count + Int(input.last ?? 0)) % RequestBodies.all.count
        return RequestBodies.all[index].fault(of: input)
    }

    /// Payloads of the segment stream.
    static let stream = Target(
        name: "stream", maximumBytes: 1 << 20,
        tokens: jsonTokens + [
            "\"type\":\"transcription\"", "\"type\":\"transcript_retract\"", "\"type\":\"session_start\"",
            "\"meeting_id\":",
            "\"segments\":[", "\"segment_id\":\"", "\"segment_ids\":[", "\"start\":", "\"end\":", "\"words\":[",
            "\"absolute_start_time\":\"2026-11-28T15:00:00Z\"", "1795864692.01", "1e9", "-1",
        ]
    ) { input, _ in
        do throws(SegmentMessage.Invalid) {
            return fault(of: try SegmentMessage(json: input, assumedType: "transcription"))
        } catch {
            return error.problem.isEmpty ? "refused without a reason" : nil
        }
    }

    private static func fault(of message: SegmentMessage) -> String? {
        guard case .segments(let segments) = message.content else { return nil }
        guard segments.count + message.faults.count <= SegmentMessage.maximumSegments else {
            return "too many segments"
        }
        for segment in segments where !(segment.start.isFinite && segment.end.isFinite) { return "a time that is none" }
        return nil
    }
}
