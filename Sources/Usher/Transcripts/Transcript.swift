import FoundationEssentials
import JSON
import Log
import Redis

/// When the sessions of a meeting began: the field `sessions` of its record, `<bot_id>=<ms>` for each.
struct Sessions: Equatable {
    private let began: [(id: String, at: Int)]

    init(_ text: String?) {
        began = (text ?? "").split(separator: " ").compactMap { part in
            let parts = part.split(separator: "=")
            guard parts.count == 2, let at = Int(parts[1]) else { return nil }
            return (String(parts[0]), at)
        }
    }

    static func == (left: Sessions, right: Sessions) -> Bool {
        left.began.elementsEqual(right.began) { $0 == $1 }
    }

    /// Milliseconds since 1970.
    func start(of id: String) -> Int? { began.first { $0.id == id }?.at }

    /// The session that was under way at a time: what belongs to a message that names none. What came before the first
    /// session belongs to that.
    func current(at milliseconds: Int) -> String? {
        let earlier = began.filter { $0.at <= milliseconds }
        return (earlier.max { $0.at < $1.at } ?? began.min { $0.at < $1.at })?.id
    }
}

/// A segment as the record has it: `<version> <kind> <start ms> <end ms> <language> <JSON>`. The language is that which
/// the bot was configured with when it came, for one that has none of its own (`=`); `-` if there was none.
struct StoredSegment {
    private let sessionID: String
    let sessionStart: Int?
    let start: Int
    let end: Int
    private let createdAt: Int?
    private let configuredLanguage: String?
    private let hasLanguage: Bool
    private let object: String

    /// Of what it says.
    var byteCount: Int { object.utf8.count }

    /// Whether what stands in answers as it is stored, is JSON: of a segment that another hand wrote.
    var isSound: Bool {
        guard let document = try? JSONDocument(Array(object.utf8)) else { return false }
        return JSONFragment(document).member("text")?.text != nil
    }

    /// Nil for a retracted one, and for what is not of the form.
    init?(field: [UInt8], value: String, sessions: Sessions) {
        // By bytes: a transcript has thousands.
        let parts = value.utf8.split(separator: UInt8(ascii: " "), maxSplits: 5, omittingEmptySubsequences: false)
        guard parts.count == 6, !parts[1].elementsEqual("r".utf8), let start = Int(Substring(parts[2])),
            let end = Int(Substring(parts[3])), parts[5].first == UInt8(ascii: "{"),
            parts[5].last == UInt8(ascii: "}"), let colon = field.firstIndex(of: UInt8(ascii: ":"))
        else { return nil }
        sessionID = String(decoding: field[..<colon], as: UTF8.self)
        sessionStart = sessions.start(of: sessionID)
        self.start = start
        self.end = end
        createdAt = parts[0].firstIndex(of: UInt8(ascii: "-")).flatMap { Int(Substring(parts[0][..<$0])) }
        let language = String(Substring(parts[4]))
        hasLanguage = language == "="
        configuredLanguage = language == "=" || language == "-" ? nil : language
        object = String(Substring(parts[5]))
    }

    /// The value without its version and kind, which the script puts before it.
    static func encode(_ segment: Segment, configuredLanguage: String?) -> (meta: String, json: String)? {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let json = try? encoder.encode(segment) else { return nil }
        let configured = configuredLanguage.flatMap { $0.isEmpty || $0.utf8.contains(0x20) ? nil : $0 }
        let language = segment.language == nil ? configured ?? "-" : "="
        return (
            "\(milliseconds(segment.start)) \(milliseconds(segment.end)) \(language)",
            String(decoding: json, as: UTF8.self)
        )
    }

    static func milliseconds(_ seconds: Double) -> Int { Int(clamping: (seconds * 1_000).rounded()) }

    /// Appends the stored object with the members that are not the bot's put behind: to decode and encode each segment
    /// again would cost a node ten times as much.
    func append(to json: inout [UInt8]) {
        // But the brace at its end, which `init` has seen.
        json.append(contentsOf: object.utf8)
        json.removeLast()
        // Its members are in alphabetical order.
        if !object.utf8.starts(with: "{\"absolute_".utf8) {
            add("absolute_start_time", sessionStart.map { Timestamp.withZone($0.addingClamped(start)) }, to: &json)
            add("absolute_end_time", sessionStart.map { Timestamp.withZone($0.addingClamped(end)) }, to: &json)
        }
        if !hasLanguage { add("language", configuredLanguage, to: &json) }
        add("created_at", createdAt.map(Timestamp.withZone), to: &json)
        add("session_uid", sessionID, to: &json)
        json.append(UInt8(ascii: "}"))
    }

    private func add(_ name: String, _ value: String?, to json: inout [UInt8]) {
        json.append(contentsOf: ",\"\(name)\":".utf8)
        guard let value else {
            json.append(contentsOf: "null".utf8)
            return
        }
        json.append(UInt8(ascii: "\""))
        value.appendJSONEscaped(to: &json)
        json.append(UInt8(ascii: "\""))
    }

    /// What `finalise` collects.
    var speakerAndLanguage: (speaker: String?, language: String?) {
        struct Members: Decodable {
            let speaker: String?
            let language: String?
        }
        let members = try? Members(json: Array(object.utf8))
        return (members?.speaker, members?.language ?? configuredLanguage)
    }
}
