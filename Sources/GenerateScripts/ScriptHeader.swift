/// The header of a script in `lua/`, which is its contract: what it takes, and each result that it may have.
///
///     -- KEYS[1]     lock_key  usher:{pX}:ws:<workspace_id>:lock  string: whose the lock is
///     -- ARGV[1]     token     text: of the one that calls
///     -- ARGV[2...]  fields    pairs: fields of the record, each followed by its value
///     --
///     -- Returns {'unlocked', at: integer}  (change): given back
///     --         {'not_yours'}              the lock is another's
///
/// A result begins with its word, which means the same in all scripts: alone, or in braces with what goes with it. The
/// only result of a script may be a value instead, or several: `record: hash`.
///
/// A line that begins further to the right goes on with the one before. `?` after a key, the last one, tells that it
/// may be absent, and after a type that there may be none; `...` that all from there on are meant. Keys that an include
/// gives names come first, and are counted: `-- KEYS[1...11]  those of includes/life.lua`.
public struct ScriptHeader {
    public struct Key: Equatable {
        public let name: String
        public let isOptional: Bool
        public let isList: Bool
        public let pattern: String
        public let type: String
    }

    public struct Argument: Equatable {
        public let name: String
        public let isList: Bool
        public let type: String
    }

    /// A part of a result, after the word that it begins with.
    public struct Part: Equatable {
        public let name: String
        public let type: String
    }

    public struct Result: Equatable {
        /// What it begins with; nil if it is the only one.
        public let word: String?
        public let isArray: Bool
        public let parts: [Part]
        /// Whether it tells of a change that is answered once replicas have it, where those are waited for.
        public let isChange: Bool
        public let description: String
    }

    public private(set) var purpose: [String] = []
    public private(set) var keys: [Key] = []
    /// How many come before them, by an include.
    public private(set) var sharedKeys = 0
    public private(set) var arguments: [Argument] = []
    public private(set) var results: [Result] = []
    public let includes: [String]
    /// What cannot be read, as sentences.
    public private(set) var problems: [String] = []

    public static let includeDirective = "-- include: "
    static let flagsDirective = "-- flags: "
    static let keyTypes: Set = ["string", "hash", "zset", "stream"]
    static let argumentTypes: Set = ["text", "text?", "integer", "integer?", "flag"]
    static let listTypes: Set = ["list", "pairs"]
    static let partTypes: Set = ["text", "text?", "integer", "integer?", "hash", "array"]
    /// The one key whose name is the wire's.
    private static let foreignKey = "transcription_segments"

    public init(_ text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        includes = lines.filter { $0.hasPrefix(Self.includeDirective) }
            .map { String($0.dropFirst(Self.includeDirective.count)) }
        for entry in Self.entries(lines.prefix { $0.hasPrefix("--") && !$0.hasPrefix(Self.includeDirective) }) {
            switch entry.kind {
            case .purpose: purpose.append(entry.text)
            case .key:
                if keys.isEmpty, let count = Self.countOfShared(entry.text) {
                    sharedKeys = count
                } else {
                    readKey(entry.text)
                }
            case .argument: readArgument(entry.text)
            case .result: readResult(entry.text)
            }
        }
        if keys.dropLast().contains(where: { $0.isOptional || $0.isList }) {
            problems.append("has a key after the last")
        }
        if arguments.dropLast().contains(where: \.isList) { problems.append("has an argument after the last") }
        if results.count > 1, results.contains(where: { $0.word == nil }) {
            problems.append("has a result without a word beside others")
        }
        if Set(results.map(\.isArray)).count > 1 { problems.append("has results both with and without braces") }
    }

    // MARK: Entries

    private enum Kind { case purpose, key, argument, result }

    private static func entries(_ lines: some Sequence<Substring>) -> [(kind: Kind, text: String)] {
        var entries: [(kind: Kind, text: String)] = []
        var areResults = false
        for line in lines {
            let indent = line.dropFirst(2).prefix { $0 == " " }.count
            let text = String(line.dropFirst(2 + indent))
            if line.hasPrefix("-- KEYS[") {
                entries.append((.key, String(line.dropFirst(8))))
            } else if line.hasPrefix("-- ARGV[") {
                entries.append((.argument, String(line.dropFirst(8))))
            } else if line.hasPrefix("-- Returns ") {
                areResults = true
                entries.append((.result, String(line.dropFirst(11))))
            } else if areResults, indent == 9 {
                entries.append((.result, text))
            } else if indent > 1, !entries.isEmpty {
                entries[entries.count - 1].text += " " + text
            } else if !text.isEmpty, !line.hasPrefix(flagsDirective) {
                entries.append((.purpose, text))
            }
        }
        return entries
    }

    /// What stands two or more spaces apart.
    private static func columns(_ text: String, atMost count: Int) -> [String] {
        var columns: [String] = []
        var rest = text[...]
        while columns.count < count - 1, let gap = rest.firstRange(of: "  ") {
            columns.append(String(rest[..<gap.lowerBound]))
            rest = rest[gap.upperBound...].drop { $0 == " " }
        }
        return columns + [String(rest)]
    }

    /// `name: what is said of it`.
    private static func named(_ text: some StringProtocol) -> (name: String, rest: String) {
        guard let colon = text.firstRange(of: ":") else { return (String(text), "") }
        return (String(text[..<colon.lowerBound]), String(text[colon.upperBound...].drop { $0 == " " }))
    }

    private static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (97...122).contains($0) || $0 == 95 }
    }

    /// Of an entry that begins with `1]` or, if it is a list, `1...]`.
    private static func place(_ text: String) -> Int? { Int(text.prefix { $0.isNumber }) }

    /// Of an entry that begins with `1...11]`.
    private static func countOfShared(_ text: String) -> Int? {
        text.hasPrefix("1...") ? Int(text.dropFirst(4).prefix { $0.isNumber }) : nil
    }

    private mutating func readKey(_ text: String) {
        let columns = Self.columns(text, atMost: 4)
        let isList = columns[0].hasSuffix("...]")
        guard columns.count == 4 else { return problems.append("has a key that cannot be read: \(text)") }
        let isOptional = columns[1].hasSuffix("?")
        let name = String(columns[1].dropLast(isOptional ? 1 : 0))
        let type = Self.named(columns[3]).name
        guard Self.isName(name), columns[2].hasPrefix("usher:") || columns[2].hasPrefix(Self.foreignKey),
            Self.keyTypes.contains(type)
        else { return problems.append("has a key without a name, a pattern and a type: \(columns[1])") }
        if Self.place(text) != sharedKeys + 1 + keys.count { problems.append("has \(name) at another place of KEYS") }
        keys.append(Key(name: name, isOptional: isOptional, isList: isList, pattern: columns[2], type: type))
    }

    private mutating func readArgument(_ text: String) {
        let columns = Self.columns(text, atMost: 3)
        let isList = columns[0].hasSuffix("...]")
        guard columns.count == 3, Self.isName(columns[1]),
            (isList ? Self.listTypes : Self.argumentTypes).contains(Self.named(columns[2]).name)
        else { return problems.append("has an argument without a name and a type: \(text)") }
        let name = columns[1]
        if Self.place(text) != 1 + arguments.count { problems.append("has \(name) at another place of ARGV") }
        arguments.append(Argument(name: name, isList: isList, type: Self.named(columns[2]).name))
    }

    private mutating func readResult(_ text: String) {
        let columns = Self.columns(text, atMost: 2)
        let pattern = columns[0]
        let isArray = pattern.hasPrefix("{") && pattern.hasSuffix("}")
        var items = (isArray ? pattern.dropFirst().dropLast() : pattern[...]).split(separator: ",")
            .map { $0.drop { $0 == " " } }
        let word = items.first.flatMap(Self.quoted)
        if word != nil { items.removeFirst() }
        let parts = items.map { Self.named($0) }.map { Part(name: $0.name, type: $0.rest) }
        var description = columns.count > 1 ? columns[1] : ""
        let isChange = description == "(change)" || description.hasPrefix("(change): ")
        if isChange { description = Self.named(description).rest }
        guard isArray || (word == nil) == (parts.count == 1), word.map(Self.isName) ?? !parts.isEmpty,
            !description.hasPrefix("("),
            parts.allSatisfy({ Self.isName($0.name) && Self.partTypes.contains($0.type) })
        else { return problems.append("has a result that cannot be read: \(text)") }
        results.append(
            Result(word: word, isArray: isArray, parts: parts, isChange: isChange, description: description))
    }

    /// The word between quotation marks.
    private static func quoted(_ text: Substring) -> String? {
        text.count > 1 && text.hasPrefix("'") && text.hasSuffix("'") ? String(text.dropFirst().dropLast()) : nil
    }
}

extension ScriptHeader {
    /// The lines that bind the names of the header, with which the code of a script begins.
    /// - Parameter shared: how many keys come before its own, by an include.
    public func bindings(after shared: Int) -> String {
        Self.binding(
            "KEYS", keys.filter { !$0.isList }.map(\.name), keys.first(where: \.isList)?.name, from: shared + 1)
            + Self.binding(
                "ARGV", arguments.filter { !$0.isList }.map(\.name), arguments.first(where: \.isList)?.name, from: 1)
    }

    private static func binding(_ table: String, _ names: [String], _ list: String?, from start: Int) -> String {
        var lines = ""
        if !names.isEmpty {
            let bounds = list == nil ? (start == 1 ? "" : ", \(start)") : ", \(start), \(start + names.count - 1)"
            lines += "local \(names.joined(separator: ", ")) = unpack(\(table)\(bounds))\n"
        }
        if let list { lines += "local \(list) = {unpack(\(table), \(start + names.count))}\n" }
        return lines
    }

    /// The one line of an include that has keys: `local keys = {meeting = KEYS[1], ...}`.
    public var table: String {
        let members = keys.enumerated().map { "\($1.name) = KEYS[\($0 + 1)]" }
        return "local keys = {\(members.joined(separator: ", "))}\n"
    }
}
