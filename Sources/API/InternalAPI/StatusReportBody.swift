import FoundationEssentials
import Usher

/// A bot's report of its status (wire facts, section 2). What is not known of it is tolerated: the bots are others'.
struct StatusReportBody: Decodable {
    /// Characters of a detail that are kept.
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
    }

    /// What a bot can report: the others are Usher's own.
    static let reportable: [BotStatus] = [
        .joining, .awaitingAdmission, .active, .needsHelp, .completed, .failed,
    ]

    /// - Throws: `APIError` 422 for what is not a valid event.
    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        connectionID = try container.decode(String.self, forKey: .connectionID)
        let name = try container.decode(String.self, forKey: .status)
        guard let status = BotStatus(rawValue: name), Self.reportable.contains(status) else {
            throw APIError.invalid(
                CodingKeys.status.rawValue,
                "must be one of \(Self.reportable.map(\.rawValue).joined(separator: ", "))")
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
            let details = [container.looseText(.errorDetails) ?? container.looseText(.reason), reason.text, stage.text]
                .compactMap { $0 }.filter { !$0.isEmpty }
            if !details.isEmpty {
                fields["error_details"] = String(details.joined(separator: "\n").prefix(Self.maximumDetail))
            }
            fields["bot_output"] = container.looseText(.logs).map { Self.end(of: $0) }
        }
        report = BotReport(status: status, completionReason: reason.word, failureStage: stage.word, fields: fields)
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

    /// A text, or a list of them as lines, or anything else as JSON; nil if it is absent, null or empty.
    fileprivate func looseText(_ key: Key) -> String? {
        let text: String?
        if let lines = try? decodeIfPresent([String].self, forKey: key) {
            text = lines.joined(separator: "\n")
        } else if let string = try? decodeIfPresent(String.self, forKey: key) {
            text = string
        } else if let object = try? decodeIfPresent(JSONValue.self, forKey: key) {
            text = (try? JSONEncoder().encode(object)).map { String(decoding: $0, as: UTF8.self) }
        } else {
            text = nil
        }
        return text.flatMap { $0.isEmpty ? nil : $0 }
    }
}

/// Any JSON value, for members of no fixed type.
private enum JSONValue: Codable {
    case string(String)
    case bool(Bool)
    case number(Double)
    case list([JSONValue])
    case object([String: JSONValue])
    case null

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .list(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .string(let value): try container.encode(value)
        case .bool(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .list(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        case .null: try container.encodeNil()
        }
    }
}
