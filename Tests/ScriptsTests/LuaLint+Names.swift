/// Every name must be declared: Redis refuses globals, but only once the line runs.
extension LuaLint {
    private static let keywords: Set = [
        "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "if", "in", "local", "nil", "not",
        "or", "repeat", "return", "then", "true", "until", "while",
    ]
    private static let library: Set = [
        "KEYS", "ARGV", "redis", "tonumber", "tostring", "unpack", "math", "string", "table", "ipairs", "pairs",
    ]

    /// - Parameter known: names of others that it may use.
    static func problemsOfNames(_ tokens: [LuaToken], known: [String]) -> [String] {
        var declared = Set(known)
        var problems: [String] = []
        var brackets: [Character] = []
        for (position, token) in tokens.enumerated() {
            if case .symbol(let symbol) = token {
                if "({[".contains(symbol) { brackets.append(symbol) }
                if ")}]".contains(symbol) { _ = brackets.popLast() }
            }
            guard let name = token.asName else { continue }
            let before = position > 0 ? tokens[position - 1] : nil
            if name == "local" || name == "for" {
                declared.formUnion(names(in: tokens[(position + 1)...]))
            } else if name == "function" {
                let parameters = tokens[(position + 1)...].prefix { $0 != .symbol(")") }
                declared.formUnion(parameters.compactMap(\.asName))
                if before != .name("local") { problems.append("declares a function that is global") }
            } else if before != .symbol("."), !keywords.contains(name), !library.contains(name),
                !declared.contains(name), !(brackets.last == "{" && isField(at: position, of: tokens))
            {
                problems.append("uses \(name), which is no local")
            }
        }
        return problems
    }

    /// Whether a name that stands directly in a table's braces names a field: `{name = value, ...}`.
    private static func isField(at position: Int, of tokens: [LuaToken]) -> Bool {
        let before = tokens.word(position - 1)
        return (before == .symbol("{") || before == .symbol(",")) && tokens.word(position + 1) == .symbol("=")
            && tokens.word(position + 2) != .symbol("=")
    }

    /// The names of a list, as in `local a, b = ...`.
    static func names(in tokens: ArraySlice<LuaToken>) -> [String] {
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
}
