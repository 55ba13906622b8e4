import HTTP
import JSON
import Log
import Usher

/// In which form `GET /transcripts/...` answers.
enum TranscriptFormat: String, CaseIterable, Sendable {
    case json, txt, md, srt, vtt

    var contentType: String {
        switch self {
        case .json: "application/json"
        case .txt: "text/plain; charset=utf-8"
        case .md: "text/markdown; charset=utf-8"
        case .srt: "application/x-subrip; charset=utf-8"
        case .vtt: "text/vtt; charset=utf-8"
        }
    }

    /// Without its parameters.
    var mediaType: String { String(contentType.prefix { $0 != ";" }) }

    /// What a client prefers (RFC 9110 section 12.5.1): the form with the highest weight, JSON among equals.
    init(accepted field: String) {
        var best: (format: TranscriptFormat, weight: Double) = (.json, 0)
        for range in field.split(separator: ",").prefix(32) {
            let parts = range.split(separator: ";").map { $0.filter { $0 != " " }.lowercased() }
            let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
            let format: TranscriptFormat? =
                switch parts.first {
                case "application/json", "*/*", "application/*": .json
                case "text/plain": .txt
                case "text/markdown": .md
                case "application/x-subrip": .srt
                case "text/vtt": .vtt
                default: nil
                }
            guard let format, weight > best.weight || weight == best.weight && format == .json else { continue }
            best = (format, weight)
        }
        self = best.format
    }
}

/// Writes a transcript as text, segment by segment. Times count from the beginning of the meeting's first session.
struct TranscriptText {
    private struct Words: Decodable {
        let start: Double
        let end: Double
        let text: String
        let speaker: String?
        let absoluteStart: String?

        enum CodingKeys: String, CodingKey {
            case start, end, text, speaker
            case absoluteStart = "absolute_start_time"
        }
    }

    private let format: TranscriptFormat
    private let title: String
    private var count = 0
    private var lastSpeaker: String?
    /// When the first session began, milliseconds since 1970.
    private var beginning: Int?

    init(_ meeting: Meeting, _ format: TranscriptFormat) {
        self.init(title: meeting.title ?? "\(meeting.room.platform.rawValue) \(meeting.room.nativeID)", format)
    }

    init(title: String, _ format: TranscriptFormat) {
        self.title = title
        self.format = format
    }

    var start: [UInt8] {
        switch format {
        case .vtt: Array("WEBVTT\n\n".utf8)
        case .md: Array("# \(Self.line(title))\n".utf8)
        case .json, .txt, .srt: []
        }
    }

    /// - Parameter segments: JSON objects, joined by commas.
    mutating func text(of segments: [UInt8]) -> [UInt8] {
        let list = [UInt8(ascii: "[")] + segments + [UInt8(ascii: "]")]
        let words = (try? [Words](json: list, limits: JSONLimits(values: 500_000))) ?? []
        return words.flatMap { write($0) }
    }

    private mutating func write(_ words: Words) -> [UInt8] {
        count += 1
        let offset = offset(of: words)
        let (start, end) = (Self.milliseconds(words.start + offset), Self.milliseconds(words.end + offset))
        let (speaker, text) = (Self.line(words.speaker ?? "Unknown"), Self.line(words.text))
        defer { lastSpeaker = speaker }
        let written: String
        switch format {
        case .srt:
            written =
                "\(count)\n\(Self.time(start, ",")) --> \(Self.time(max(start, end), ","))\n\(speaker): \(text)\n\n"
        case .vtt:
            let name = Self.markup(speaker)
            written =
                "\(Self.time(start, ".")) --> \(Self.time(max(start, end), "."))\n<v \(name)>\(Self.markup(text))\n\n"
        case .md:
            let head = speaker == lastSpeaker ? "" : "\n**\(Self.escaped(speaker))** (\(Self.clock(start)))\n\n"
            written = "\(head)\(Self.escaped(text))\n"
        case .txt, .json: written = "[\(Self.clock(start))] \(speaker): \(text)\n"
        }
        return Array(written.utf8)
    }

    /// Seconds from the beginning of the first session to that of the segment's own.
    private mutating func offset(of words: Words) -> Double {
        guard let absolute = words.absoluteStart.flatMap(Timestamp.milliseconds(rfc3339:)) else { return 0 }
        let session = absolute.subtractingClamped(Self.signedMilliseconds(words.start))
        guard let beginning else {
            beginning = session
            return 0
        }
        return Double(session.subtractingClamped(beginning)) / 1_000
    }

    // MARK: Parts

    private static func signedMilliseconds(_ seconds: Double) -> Int { Int(clamping: (seconds * 1_000).rounded()) }
    private static func milliseconds(_ seconds: Double) -> Int { max(0, signedMilliseconds(seconds)) }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    private static func clock(_ milliseconds: Int) -> String {
        let seconds = milliseconds / 1_000
        return "\(two(seconds / 3_600)):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
    }

    private static func time(_ milliseconds: Int, _ separator: String) -> String {
        let rest = milliseconds % 1_000
        return "\(clock(milliseconds))\(separator)\(rest < 100 ? "0" : "")\(rest < 10 ? "0" : "")\(rest)"
    }

    /// On one line: a line end, or an arrow of cues, would begin something else.
    private static func line(_ text: String) -> String {
        var line = String.UnicodeScalarView()
        var dashes = 0
        for scalar in text.unicodeScalars {
            if scalar == ">", dashes > 1 { line.removeLast(dashes - 1) }
            dashes = scalar == "-" ? dashes + 1 : 0
            line.append(isControl(scalar) ? " " : scalar)
        }
        return String(line)
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7f..<0xa0, 0x2028, 0x2029: true
        default: false
        }
    }

    /// By scalars: with a mark on it, a bracket would be another character and a bracket all the same.
    private static func markup(_ text: String) -> String {
        var markup = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": markup.append(contentsOf: "&amp;".unicodeScalars)
            case "<": markup.append(contentsOf: "&lt;".unicodeScalars)
            case ">": markup.append(contentsOf: "&gt;".unicodeScalars)
            default: markup.append(scalar)
            }
        }
        return String(markup)
    }

    /// Without what Markdown, or HTML in it, would take for its own.
    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text.unicodeScalars {
            if "\\`*_{}[]()#+-.!<>|&~".unicodeScalars.contains(character) { escaped += "\\" }
            escaped.unicodeScalars.append(character)
        }
        return escaped
    }
}

extension Response {
    static func transcript(
        as format: TranscriptFormat, _ text: TranscriptText, _ reading: TranscriptReading, _ hold: AnswerHold?,
        _ store: Store
    ) -> Response {
        var response = Response(status: 200, contentType: format.contentType)
        response.hold = hold
        response.stream = { writer in
            var (reading, text) = (reading, text)
            try await writer.write(text.start)
            while let segments = try await reading.next(
                bytes: TranscriptEndpoint.pieceBytes,
                in: store.session(milliseconds: TranscriptEndpoint.pieceMilliseconds))
            {
                try await writer.write(text.text(of: segments))
            }
        }
        return response
    }
}
