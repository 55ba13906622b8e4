/// Holds a script against its header: what `lua/` promises to readers must be what Redis runs. Rules of the style page,
/// "Lua".
struct LuaLint {
    static let maximumLines = 80
    private static let directive = "-- include: "
    private static let keywords: Set = [
        "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "if", "in", "local", "nil", "not",
        "or", "repeat", "return", "then", "true", "until", "while",
    ]
    private static let library: Set = [
        "KEYS", "ARGV", "redis", "tonumber", "tostring", "unpack", "math", "string", "table", "ipairs", "pairs",
    ]
    /// Commands that take no key.
    private static let keylessCommands: Set = ["TIME"]
    /// Commands whose key comes after another word.
    private static let containerCommands: Set = ["XGROUP", "XINFO"]

    private let header: [Substring]
    private let tokens: [LuaToken]
    private let included: [String]
    private let includes: [String: String]
    private let lineCount: Int

    /// - Parameters:
    ///   - text: the script's file.
    ///   - includes: every file of `lua/includes`, by name.
    init(_ text: String, includes: [String: String]) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        lineCount = text.hasSuffix("\n") ? lines.count - 1 : lines.count
        header = Array(lines.prefix { $0.hasPrefix("--") && !$0.hasPrefix(Self.directive) })
        included = lines.filter { $0.hasPrefix(Self.directive) }.map { String($0.dropFirst(Self.directive.count)) }
        tokens = LuaToken.read(text)
        self.includes = includes
    }

    /// What is wrong, as sentences; empty if all is well.
    var problems: [String] {
        var problems = Self.problemsOfNames(tokens, known: functions.map(\.name))
        if lineCount > Self.maximumLines { problems.append("has \(lineCount) lines, over \(Self.maximumLines)") }
        if header.isEmpty { problems.append("has no header") }
        problems += problemsOfIndices("KEYS", documented: documentedKeys)
        problems += problemsOfIndices("ARGV", documented: documentedArguments)
        problems += problemsOfIncludes + problemsOfCalls + problemsOfResults
        return problems
    }

    // MARK: KEYS and ARGV

    private static let types: Set = ["string", "hash", "zset", "stream"]

    /// `-- KEYS[1]  usher:pattern  type: what it holds`. The columns stand two spaces apart.
    private var documentedKeys: [String] {
        entries("KEYS").map { index, description in
            let columns = description.split(separator: "  ").map { $0.drop { $0 == " " } }
            let type = columns.dropFirst().first?.prefix { $0 != ":" }
            guard let pattern = columns.first, pattern.hasPrefix("usher:"), let type, Self.types.contains(String(type))
            else { return "\(index) without a pattern and a type" }
            return index
        }
    }

    private var documentedArguments: [String] { entries("ARGV").map(\.index) }

    private func entries(_ table: String) -> [(index: String, description: Substring)] {
        header.compactMap { line in
            guard line.hasPrefix("-- \(table)["), let end = line.firstIndex(of: "]") else { return nil }
            let index = line[..<end].dropFirst(table.count + 4)
            return (String(index), line[end...].dropFirst().drop { $0 == " " })
        }
    }

    private func problemsOfIndices(_ table: String, documented: [String]) -> [String] {
        var problems: [String] = []
        var used: Set<String> = []
        for (position, token) in tokens.enumerated() where token == .name(table) {
            let after = Array(tokens[(position + 1)...].prefix(3))
            if after.count == 3, after[0] == .symbol("["), case .number(let index) = after[1], after[2] == .symbol("]")
            {
                used.insert(index)
            } else if tokens[..<position].suffix(2) == [.name("unpack"), .symbol("(")], after.count == 3,
                after[0] == .symbol(","), case .number(let index) = after[1], after[2] == .symbol(")")
            {
                used.insert("\(index)...")
            } else {
                problems.append("uses \(table) other than by a fixed index")
            }
        }
        for (position, index) in documented.enumerated() {
            let wanted = String(position + 1)
            let isLast = position == documented.count - 1
            if index != wanted && !(isLast && index == "\(wanted)...") {
                problems.append("documents \(table)[\(index)] where \(table)[\(wanted)] is due")
            }
            if !used.contains(index) { problems.append("does not use \(table)[\(index)]") }
        }
        for index in used.subtracting(documented).sorted() { problems.append("does not document \(table)[\(index)]") }
        return problems
    }

    // MARK: Includes

    private struct Function {
        let name: String
        let parameters: [String]
    }

    private var functions: [Function] { included.flatMap { Self.functions(LuaToken.read(includes[$0] ?? "")) } }

    /// `local function name(parameters)`
    private static func functions(_ tokens: [LuaToken]) -> [Function] {
        tokens.indices.compactMap { position in
            guard tokens[position] == .name("function"), position + 1 < tokens.count,
                case .name(let name) = tokens[position + 1]
            else { return nil }
            let parameters = tokens[(position + 2)...].prefix { $0 != .symbol(")") }.compactMap(\.asName)
            return Function(name: name, parameters: parameters)
        }
    }

    private var problemsOfIncludes: [String] {
        var problems: [String] = []
        for name in included {
            guard let text = includes[name] else {
                problems.append("includes \(name), which is not there")
                continue
            }
            let functions = Self.functions(LuaToken.read(text))
            let others = included.filter { $0 != name }.flatMap { LuaToken.read(includes[$0] ?? "") }
            if !functions.contains(where: { (tokens + others).contains(.name($0.name)) }) {
                problems.append("includes \(name) and does not use it")
            }
        }
        if Set(included).count != included.count { problems.append("includes a file twice") }
        return problems
    }

    // MARK: Calls

    /// Every key that Redis is given must be one of KEYS, or a parameter of an include that is.
    private var problemsOfCalls: [String] {
        var problems = Self.problemsOfRedis(tokens, allowing: Set(["KEYS"] + namesOfKeys))
        for function in functions where function.parameters.first?.hasSuffix("_key") == true {
            for position in tokens.indices where tokens[position] == .name(function.name) {
                if tokens[(position + 1)...].prefix(2) != [.symbol("("), .name("KEYS")] {
                    problems.append("calls \(function.name) with another key than one of KEYS")
                }
            }
        }
        return problems
    }

    /// Tables that hold some of KEYS: `local bot_keys = {unpack(KEYS, 2)}`.
    private var namesOfKeys: [String] {
        tokens.indices.compactMap { position in
            guard tokens[..<position].suffix(2) == [.symbol("="), .symbol("{")],
                tokens[position...].prefix(3) == [.name("unpack"), .symbol("("), .name("KEYS")]
            else { return nil }
            let names = tokens[..<(position - 2)].reversed().prefix { $0 != .name("local") }
            return names.last?.asName
        }
    }

    private static func problemsOfRedis(_ tokens: [LuaToken], allowing names: Set<String>) -> [String] {
        tokens.indices.filter { tokens[$0] == .name("redis") }.compactMap { position in
            var after = Array(tokens[(position + 1)...].prefix(8))
            guard after.count >= 6, after[0] == .symbol("."), after[1] == .name("call"), after[2] == .symbol("("),
                case .string(let command) = after[3]
            else { return "uses redis other than by redis.call with a fixed command" }
            if keylessCommands.contains(command) { return nil }
            if containerCommands.contains(command) { after.removeSubrange(4..<6) }
            guard after.count >= 6, after[4] == .symbol(","), let key = after[5].asName, names.contains(key) else {
                return "calls \(command) on another key than one of KEYS"
            }
            return nil
        }
    }

    // MARK: Names

    /// Every name must be declared: Redis refuses globals, but only once the line runs.
    private static func problemsOfNames(_ tokens: [LuaToken], known: [String]) -> [String] {
        var declared = Set(known)
        var problems: [String] = []
        for (position, token) in tokens.enumerated() {
            guard let name = token.asName else { continue }
            let before = position > 0 ? tokens[position - 1] : nil
            if name == "local" || name == "for" {
                declared.formUnion(names(in: tokens[(position + 1)...]))
            } else if name == "function" {
                let parameters = tokens[(position + 1)...].prefix { $0 != .symbol(")") }
                declared.formUnion(parameters.compactMap(\.asName))
                if before != .name("local") { problems.append("declares a function that is global") }
            } else if before != .symbol("."), !isField(at: position, in: tokens), !keywords.contains(name),
                !library.contains(name),
                !declared.contains(name)
            {
                problems.append("uses \(name), which is no local")
            }
        }
        return problems
    }

    /// Whether the name is that of a field in a table's constructor: `{name = value, other = value}`.
    private static func isField(at position: Int, in tokens: [LuaToken]) -> Bool {
        guard position > 0, [.symbol("{"), .symbol(",")].contains(tokens[position - 1]),
            position + 1 < tokens.count, tokens[position + 1] == .symbol("=")
        else { return false }
        var depth = 0
        for token in tokens[..<position].reversed() {
            switch token {
            case .symbol("}"), .symbol(")"), .symbol("]"): depth += 1
            case .symbol("{"), .symbol("("), .symbol("["):
                if depth == 0 { return token == .symbol("{") }
                depth -= 1
            default: break
            }
        }
        return false
    }

    /// The names of a list, as in `local a, b = ...`.
    private static func names(in tokens: ArraySlice<LuaToken>) -> [String] {
        var names: [String] = []
        for (offset, token) in tokens.enumerated() {
            if offset % 2 == 1 {
                guard token == .symbol(",") else { break }
            } else if let name = token.asName, name != "function" {
                names.append(name)
            } else {
                break
            }
        }
        return names
    }

    // MARK: Results

    private var problemsOfResults: [String] {
        guard let start = header.firstIndex(where: { $0.hasPrefix("-- Returns ") }) else {
            return ["does not document what it returns"]
        }
        let text = header[start...].map { $0.dropFirst(2).drop { $0 == " " } }.joined(separator: "\n")
        let documented = Set(
            text.dropFirst("Returns ".count).split(whereSeparator: { $0 == "," || $0 == "\n" }).compactMap(Self.code))
        var returned: Set<String> = []
        for (position, token) in tokens.enumerated() where token == .name("return") {
            let result = tokens[(position + 1)...].prefix(3).map(\.text).joined()
            if let code = Self.code(result[...]) { returned.insert(code) }
        }
        return documented.subtracting(returned).sorted().map { "documents the result \($0), which it never returns" }
            + returned.subtracting(documented).sorted().map { "does not document the result \($0)" }
    }

    /// The number that a result begins with, in its braces if it is an array: `1`, `{-2`.
    private static func code(_ text: Substring) -> String? {
        let text = text.drop { $0 == " " }
        let brace = text.first == "{" ? "{" : ""
        let sign = text.dropFirst(brace.count).first == "-" ? "-" : ""
        let digits = text.dropFirst(brace.count + sign.count).prefix { $0.isNumber }
        return digits.isEmpty ? nil : brace + sign + digits
    }

    /// What is wrong with a file of `lua/includes`.
    static func problems(ofInclude text: String, beside includes: [String: String] = [:]) -> [String] {
        let tokens = LuaToken.read(text)
        let functions = Self.functions(tokens)
        let keys = functions.flatMap(\.parameters).filter { $0.hasSuffix("_key") || $0 == "keys" }
        let others = includes.values.flatMap { Self.functions(LuaToken.read($0)) }.map(\.name)
        var problems = problemsOfNames(tokens, known: others) + problemsOfRedis(tokens, allowing: Set(keys))
        if functions.isEmpty { problems.append("has no function") }
        if tokens.contains(.name("KEYS")) || tokens.contains(.name("ARGV")) {
            problems.append("uses KEYS or ARGV, which belong to the script")
        }
        return problems
    }
}

extension LuaToken {
    fileprivate var asName: String? {
        if case .name(let name) = self { name } else { nil }
    }

    fileprivate var text: String {
        switch self {
        case .name(let text), .number(let text), .string(let text): text
        case .symbol(let character): String(character)
        }
    }
}
