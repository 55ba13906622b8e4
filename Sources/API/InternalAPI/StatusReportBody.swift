import JSON
import Usher

/// A bot's report of its status (docs/bot-wire.md, "Reports"). What is not known of it is tolerated: the bots are
/// others'.
struct StatusReportBody: Decodable {
    /// Bytes of the details that are kept: the first ones.
    private static let maximumDetail = 2_000
    /// Bytes of the bot's log that are kept: the last ones.
    private static let maximumOutput = 4_096

    let connectionID: String
    let report: BotReport

    enum CodingKeys: String, CodingKey {
        case connectionID = "connection_id"
        case status
        case completionReason = "completion_reason"
        case failureStage = "failure_stage"
        case reason
        case exitCode = "exit_code"
        case errorDetails = "error_details"
        case logs = "bot_logs"
        case screenshot
    }

    private enum ScreenshotKeys: String, CodingKey {
        case image, outline
    }

    /// What a bot can report: the others are Usher's own.
    static let reportable: [BotStatus] = [
        .joining, .awaitingAdmission, .active, .needsHelp, .completed, .failed,
    ]
    /// What is wrong with a status that is none of these.
    static let statusProblem = "must be one of \(reportable.map(\.rawValue).joined(separator: ", "))"

    /// - Throws: `APIError` 422 for what is not a valid event.
    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        connectionID = try container.decode(String.self, forKey: .connectionID)
        let name = try container.decode(String.self, forKey: .status)
        guard let status = BotStatus(rawValue: name), Self.reportable.contains(status) else {
            throw APIError.invalid(CodingKeys.status.rawValue, Self.statusProblem)
        }
        let reason = try container.wordOrText(.completionReason)
        let stage = try container.wordOrText(.failureStage)
        var fields: [String: String] = [:]
        if status.isRunning {
            for (key, text) in [(CodingKeys.completionReason, reason.text), (.failureStage, stage.text)] {
                guard text != nil else { continue }
                throw APIError.invalid(key.rawValue, "must be a word of the wire, such as left_alone")
            }
        } else {
            fields["exit_code"] = (try? container.decodeIfPresent(Int.self, forKey: .exitCode)).map { String($0) }
            // A bot that has ended must not be refused for its wording: what is no word counts as none, and is kept.
            let told =
                try container.anything(.errorDetails)?.beginning(bytes: Self.maximumDetail)
                ?? container.anything(.reason)?.beginning(bytes: Self.maximumDetail)
            let details = [told, reason.text, stage.text].compactMap { $0 }.filter { !$0.isEmpty }
            if !details.isEmpty { fields["error_details"] = Self.beginning(of: details.joined(separator: "\n")) }
            fields["bot_output"] = try container.anything(.logs)?.end(bytes: Self.maximumOutput)
                .map { Self.end(of: $0) }
        }
        report = BotReport(
            status: status, completionReason: reason.word, failureStage: stage.word, fields: fields,
            screenshot: try? Self.screenshot(container))
    }

    /// Nil for what is none: it is no part of the wire, and must not keep a report from counting.
    private static func screenshot(_ container: KeyedDecodingContainer<CodingKeys>) throws -> Screenshot? {
        guard container.contains(.screenshot) else { return nil }
        let object = try container.nestedContainer(keyedBy: ScreenshotKeys.self, forKey: .screenshot)
        let outline = try object.decodeIfPresent(String.self, forKey: .outline) ?? ""
        return Screenshot(base64: try object.decode(String.self, forKey: .image), outline: outline)
    }

    /// The first bytes of a text, without a part of a character.
    private static func beginning(of text: String) -> String {
        let bytes = text.utf8.prefix(maximumDetail + 1)
        guard bytes.count > maximumDetail else { return text }
        // The byte after those that are kept begins a character, or else the last one is cut.
        let end = bytes.lastIndex { $0 & 0xc0 != 0x80 } ?? bytes.startIndex
        return String(decoding: bytes[..<end], as: UTF8.self)
    }

    /// The last bytes of a text, from the beginning of a character on.
    private static func end(of text: String) -> String {
        let bytes = text.utf8.suffix(maximumOutput)
        return String(decoding: bytes.drop { $0 & 0xc0 == 0x80 }, as: UTF8.self)
    }
}

extension KeyedDecodingContainer {
    /// One of the wire's words, or the text that is none. New ones are words too.
    fileprivate func wordOrText(_ key: Key) throws -> (word: String?, text: String?) {
        guard let text = try decodeIfPresent(String.self, forKey: key) else { return (nil, nil) }
        let isWord =
            (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || $0 == UInt8(ascii: "_")
            }
        return isWord ? (text, nil) : (nil, text)
    }

    /// What is there of any form; nil if it is absent or null.
    fileprivate func anything(_ key: Key) throws -> LooseText? {
        try decodeIfPresent(JSONFragment.self, forKey: key).map { LooseText($0) }
    }
}

/// A text, or a list of them as lines, or anything else as the JSON that it is. No more is made of it than is kept.
private struct LooseText {
    /// The longest character: what is cut off between its bytes must not be among those that are kept.
    private static let characterBytes = 4

    private let fragment: JSONFragment

    init(_ fragment: JSONFragment) { self.fragment = fragment }

    /// Its beginning, with at least `bytes` bytes of whole characters if it has as many; nil if it is empty.
    func beginning(bytes: Int) -> String? {
        if let lines = fragment.texts { return Self.joined(lines, bytes: bytes) { $0 } }
        return filled(fragment.json?.prefix(bytes + Self.characterBytes))
    }

    /// The same of its end.
    func end(bytes: Int) -> String? {
        if let lines = fragment.texts { return Self.joined(lines.reversed(), bytes: bytes) { $0.reversed() } }
        return filled(fragment.json?.suffix(bytes + Self.characterBytes))
    }

    private func filled(_ json: ArraySlice<UInt8>?) -> String? {
        let text = json.map { String(decoding: $0, as: UTF8.self) } ?? fragment.text
        return text?.isEmpty == false ? text : nil
    }

    /// As many of the lines as have `bytes` together.
    private static func joined(
        _ lines: some Sequence<String>, bytes: Int, order: ([String]) -> [String]
    ) -> String? {
        var kept: [String] = []
        var count = 0
        for line in lines {
            kept.append(line)
            count += line.utf8.count + 1
            if count > bytes { break }
        }
        let text = order(kept).joined(separator: "\n")
        return text.isEmpty ? nil : text
    }
}
