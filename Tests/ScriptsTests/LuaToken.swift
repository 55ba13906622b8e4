/// A word of Lua, as far as the lint needs to know it.
enum LuaToken: Equatable {
    case name(String)
    case number(String)
    case string(String)
    case symbol(Character)

    /// The words of a script, without comments.
    static func read(_ text: String) -> [LuaToken] {
        var tokens: [LuaToken] = []
        for line in text.split(separator: "\n") { readLine(line, into: &tokens) }
        return tokens
    }

    private static func readLine(_ line: Substring, into tokens: inout [LuaToken]) {
        var rest = line
        while let first = rest.first {
            if rest.hasPrefix("--") { return }
            if first.isLetter || first == "_" {
                let name = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
                tokens.append(.name(String(name)))
                rest = rest.dropFirst(name.count)
            } else if first.isNumber {
                let number = rest.prefix { $0.isNumber || $0 == "." }
                tokens.append(.number(String(number)))
                rest = rest.dropFirst(number.count)
            } else if first == "'" || first == "\"" {
                let string = rest.dropFirst().prefix { $0 != first }
                tokens.append(.string(String(string)))
                rest = rest.dropFirst(string.count + 2)
            } else {
                if !first.isWhitespace { tokens.append(.symbol(first)) }
                rest = rest.dropFirst()
            }
        }
    }
}

extension LuaToken {
    var asName: String? {
        if case .name(let name) = self { name } else { nil }
    }

    var text: String {
        switch self {
        case .name(let text), .number(let text), .string(let text): text
        case .symbol(let character): String(character)
        }
    }
}
