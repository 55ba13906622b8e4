/// Writes the calls of scripts in Swift.
public struct SwiftWriter {
    /// The headers of all scripts by name, and those of the includes.
    private let scripts: [(name: String, header: ScriptHeader)]
    private let includes: [(name: String, header: ScriptHeader)]
    private var lines: [String] = []

    private init(_ scripts: [String: String], _ includes: [String: String]) {
        func headers(_ texts: [String: String]) -> [(name: String, header: ScriptHeader)] {
            texts.sorted { $0.key < $1.key }.map { ($0.key, ScriptHeader($0.value)) }
        }
        self.scripts = headers(scripts)
        self.includes = headers(includes)
    }

    /// The files of `Sources/Scripts/Calls` by their names: one for each script, and one of what they share.
    /// - Parameters:
    ///   - scripts: the texts of `lua/*.lua` by their names.
    ///   - includes: those of `lua/includes`.
    public static func calls(of scripts: [String: String], includes: [String: String]) -> [String: String] {
        var writer = SwiftWriter(scripts, includes)
        var files = ["All.swift": writer.file(of: "lua/*.lua") { $0.addShared() }]
        for (name, header) in writer.scripts {
            files["\(typeName(name)).swift"] = writer.file(of: "lua/\(name).lua") { $0.addCall(name, header) }
        }
        return files
    }

    private mutating func file(of source: String, _ addContent: (inout Self) -> Void) -> String {
        lines = [
            "// Made by `make scripts` from the header of \(source), which is what to change.",
            "// swift-format-ignore-file", "", "import Redis", "", "extension Scripts {",
        ]
        addContent(&self)
        return lines.joined(separator: "\n") + "\n}\n"
    }

    private mutating func addShared() {
        lines.append("    /// Every script, to be loaded when a node connects.")
        addList("public static let all: [Script] = [", scripts.map { "\(Self.typeName($0.name)).script" }, "]")
        lines += ["", "    /// `lua/includes/`: functions and keys that several scripts share."]
        let texts = includes.map { "\"\($0.name)\": PackageResources.\($0.name)_lua" }
        addList("static let includes: [String: [UInt8]] = [", texts, "]")
        for (name, header) in includes where !header.keys.isEmpty {
            lines.append("")
            addKeys(name, header)
        }
    }

    // MARK: Declarations

    private mutating func addPurpose(_ header: ScriptHeader) {
        lines += header.purpose.map { "    /// \($0)" }
    }

    /// What several scripts begin their keys with.
    private mutating func addKeys(_ name: String, _ header: ScriptHeader) {
        let names = header.keys.map { Self.camelCase($0.name) }
        addPurpose(header)
        lines += ["    public struct \(Self.typeName(name)): Sendable {", "        public let keys: [String]", ""]
        addList("    public init(", names.map { "\($0): String" }, ") {")
        addList("        keys = [", names, "]")
        lines += ["        }", "    }"]
    }

    private mutating func addCall(_ name: String, _ header: ScriptHeader) {
        addPurpose(header)
        lines += [
            "    public struct \(Self.typeName(name)): ScriptCall {",
            "        public static let script = load(\"\(name)\", PackageResources.\(name)_lua)",
        ]
        if let changes = Self.changes(header.results) {
            lines.append("        public static let isChange: (@Sendable (Value) -> Bool)? = \(changes)")
        }
        lines += ["        public let keys: [String]", "        public let arguments: [String]", ""]
        addInitialiser(header)
        lines.append("")
        addReply(header.results)
        lines.append("    }")
    }

    private mutating func addInitialiser(_ header: ScriptHeader) {
        let shared = includes.filter { header.includes.contains($0.name) && !$0.header.keys.isEmpty }.map(\.name)
        let parameters =
            shared.map { "\(Self.camelCase($0)): \(Self.typeName($0))" }
            + header.keys.map {
                "\(Self.camelCase($0.name)): \($0.isList ? "[String]" : $0.isOptional ? "String? = nil" : "String")"
            }
            + header.arguments.map { "\(Self.camelCase($0.name)): \(Self.swiftType($0.type))" }
        addList("    public init(", parameters, ") {")
        let optional = header.keys.first(where: \.isOptional).map { Self.camelCase($0.name) }
        let fixedKeys = header.keys.filter { !$0.isOptional && !$0.isList }.map { Self.camelCase($0.name) }
        let before = shared.map { "\(Self.camelCase($0)).keys + " }.joined()
        let list = header.keys.first(where: \.isList).map { Self.camelCase($0.name) }
        if let list, fixedKeys.isEmpty {
            lines.append("            keys = \(list)")
        } else {
            let end = list.map { "] + \($0)" } ?? optional.map { "] + Scripts.list(\($0))" } ?? "]"
            addList("        keys = \(before)[", fixedKeys, end)
        }
        let fixed = header.arguments.filter { !$0.isList }.map { Self.text(of: Self.camelCase($0.name), $0.type) }
        addList(
            "        arguments = [", fixed,
            header.arguments.first(where: \.isList).map { "] + \(Self.camelCase($0.name))" } ?? "]")
        lines.append("        }")
    }

    private mutating func addReply(_ results: [ScriptHeader.Result]) {
        if results.count == 1, results[0].word == nil { return addOnlyReply(results[0]) }
        lines.append("        public enum Reply: Equatable, Sendable {")
        for result in results {
            if !result.description.isEmpty { lines.append("            /// \(Self.sentence(result.description))") }
            let parts = result.parts.map { "\(Self.camelCase($0.name)): \(Self.swiftType($0.type))" }
            let list = parts.isEmpty ? "" : "(\(parts.joined(separator: ", ")))"
            lines.append("            case \(Self.camelCase(result.word!))\(list)")
        }
        lines += [
            "        }", "", "        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {",
            "            switch reply.word {",
        ]
        for result in results { lines.append("            case \"\(result.word!)\": \(Self.construction(result))") }
        lines += ["            default: throw reply.unexpected", "            }", "        }"]
    }

    /// Of a script that has but one result: what that is.
    private mutating func addOnlyReply(_ result: ScriptHeader.Result) {
        let parts = result.parts
        if !result.description.isEmpty { lines.append("        /// \(Self.sentence(result.description))") }
        let types = parts.map { "\(Self.camelCase($0.name)): \(Self.swiftType($0.type))" }.joined(separator: ", ")
        let type = parts.count == 1 ? Self.swiftType(parts[0].type) : "(\(types))"
        lines.append("        public static func read(_ reply: ReplyParts) throws(RedisError) -> \(type) {")
        let values = parts.enumerated().map { "try reply.\($1.type)(\($0))" }
        let readers = ["integer": "integerOrThrow", "hash": "hash", "array": "arrayOrThrow"]
        lines.append(
            result.isArray
                ? "            (\(values.joined(separator: ", ")))"
                : "            try reply.whole.\(readers[parts[0].type] ?? "stringOrThrow")()")
        lines.append("        }")
    }

    // MARK: Expressions

    private static func construction(_ result: ScriptHeader.Result) -> String {
        let parts = result.parts.enumerated().map { offset, part in
            let reader = part.type.hasSuffix("?") ? "optional\(typeName(String(part.type.dropLast())))" : part.type
            return "\(camelCase(part.name)): try reply.\(reader)(\(offset + 1))"
        }
        return "return .\(camelCase(result.word!))" + (parts.isEmpty ? "" : "(\(parts.joined(separator: ", ")))")
    }

    /// Which replies tell of a change; nil if none does.
    private static func changes(_ results: [ScriptHeader.Result]) -> String? {
        let changes = results.filter(\.isChange)
        if changes.isEmpty { return nil }
        if changes[0].word == nil { return "{ _ in true }" }
        return "changes(\(changes.map { "\"\($0.word!)\"" }.joined(separator: ", ")))"
    }

    private static func swiftType(_ type: String) -> String {
        switch type {
        case "integer": "Int"
        case "integer?": "Int?"
        case "text?": "String?"
        case "flag": "Bool"
        case "list", "pairs": "[String]"
        case "hash": "[String: String]"
        case "array": "[Value]"
        default: "String"
        }
    }

    private static func text(of name: String, _ type: String) -> String {
        switch type {
        case "integer": "String(\(name))"
        case "integer?": "\(name).map { String($0) } ?? \"\""
        case "text?": "\(name) ?? \"\""
        case "flag": "\(name) ? \"1\" : \"0\""
        default: name
        }
    }

    // MARK: Text

    /// `lock_key` as `lockKey`, `bot_id` as `botID`.
    static func camelCase(_ name: String) -> String {
        let words = name.split(separator: "_")
        return words[0] + words.dropFirst().map { capitalised($0) }.joined()
    }

    static func typeName(_ name: String) -> String { name.split(separator: "_").map { capitalised($0) }.joined() }

    private static func capitalised(_ word: Substring) -> String {
        switch word {
        case "id": "ID"
        case "ids": "IDs"
        case "ms": "Milliseconds"
        default: word.prefix(1).uppercased() + word.dropFirst()
        }
    }

    private static func sentence(_ text: String) -> String {
        let text = text.prefix(1).uppercased() + text.dropFirst()
        return text.hasSuffix(".") ? text : text + "."
    }

    /// A list on one line, or on as many as it needs.
    private mutating func addList(_ start: String, _ items: [String], _ end: String) {
        let oneLine = "    \(start)\(items.joined(separator: ", "))\(end)"
        guard oneLine.count > 120 else { return lines.append(oneLine) }
        let indent = String(repeating: " ", count: 8 + start.prefix { $0 == " " }.count)
        lines.append("    \(start)")
        var line = indent
        for (offset, item) in items.enumerated() {
            let next = offset == items.count - 1 ? item : item + ", "
            if line.count + next.count > 121, line != indent {
                lines.append(String(line.dropLast()))
                line = indent
            }
            line += next
        }
        lines += [line, String(indent.dropLast(4)) + end]
    }
}
