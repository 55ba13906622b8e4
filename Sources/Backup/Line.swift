import JSON
import Log
import Usher

/// The lines of an export's file: JSON objects of one form, the first about the export, the last about all the others.
enum Line {
    /// Which form it is. What reads one form reads no other.
    static let form = 1
    private static let limits = JSONLimits(bytes: FileInput.maximumLineBytes, levels: 4, values: 4_096)
    private static let members: Set = ["kind", "id", "with", "fields", "events"]

    static func text(_ record: ExportedRecord) -> [UInt8] {
        var line = text(kind: record.kind.rawValue, id: record.id)
        add("with", record.with, to: &line)
        add("fields", record.fields, to: &line)
        if !record.events.isEmpty {
            line += ",\"events\":[".utf8
            for (index, event) in record.events.enumerated() {
                line += (index == 0 ? "[" : ",[").utf8
                for (index, part) in event.enumerated() {
                    if index > 0 { line += ",".utf8 }
                    add(part, to: &line)
                }
                line += "]".utf8
            }
            line += "]".utf8
        }
        return line + "}\n".utf8
    }

    /// - Parameter kind: `export` or `end`.
    static func text(kind: String, with: [String: String]) -> [UInt8] {
        var line = text(kind: kind, id: "")
        add("with", with, to: &line)
        return line + "}\n".utf8
    }

    private static func text(kind: String, id: String) -> [UInt8] {
        var line = Array("{\"kind\":\"\(kind)\"".utf8)
        if !id.isEmpty {
            line += ",\"id\":".utf8
            add(id, to: &line)
        }
        return line
    }

    private static func add(_ name: String, _ values: [String: String], to line: inout [UInt8]) {
        guard !values.isEmpty else { return }
        line += ",\"\(name)\":{".utf8
        for (index, entry) in values.sorted(by: { $0.key < $1.key }).enumerated() {
            if index > 0 { line += ",".utf8 }
            add(entry.key, to: &line)
            line += ":".utf8
            add(entry.value, to: &line)
        }
        line += "}".utf8
    }

    private static func add(_ text: String, to line: inout [UInt8]) {
        line += "\"".utf8
        text.appendJSONEscaped(to: &line)
        line += "\"".utf8
    }

    // MARK: Reading

    /// A line that was read: a record, or one that is about them all.
    struct Parts {
        let kind: String
        let id: String
        let with: [String: String]
        let fields: [String: String]
        let events: [[String]]
    }

    /// - Returns: nil for what is no line of an export.
    static func parts(_ line: [UInt8]) -> Parts? {
        guard let document = try? JSONDocument(line, limits: limits),
            let members = JSONFragment(document).members
        else { return nil }
        // Names that differ by their bytes alone are one to Swift: an export has none such in a record.
        let values = Dictionary(members.map { ($0.name, $0.value) }) { $1 }
        guard Set(values.keys).isSubset(of: self.members), let kind = values["kind"]?.text else { return nil }
        guard let id = values["id"].map({ $0.text }) ?? "", let with = texts(values["with"]),
            let fields = texts(values["fields"]), let events = lists(values["events"])
        else { return nil }
        return Parts(kind: kind, id: id, with: with, fields: fields, events: events)
    }

    private static func texts(_ value: JSONFragment?) -> [String: String]? {
        guard let value else { return [:] }
        guard let members = value.members else { return nil }
        var texts: [String: String] = [:]
        for member in members {
            guard let text = member.value.text, texts[member.name] == nil else { return nil }
            texts[member.name] = text
        }
        return texts
    }

    private static func lists(_ value: JSONFragment?) -> [[String]]? {
        guard let value else { return [] }
        guard let elements = value.elements else { return nil }
        var lists: [[String]] = []
        for element in elements {
            guard let texts = element.texts else { return nil }
            lists.append(Array(texts))
        }
        return lists
    }
}
