/// `local function name(parameters) ... end`, by its place among the words of a file.
struct LuaFunction {
    let name: String
    let parameters: [String]
    /// From `function` to its `end`.
    let range: Range<Int>
    /// What stands between the parameters and `end`.
    let body: Range<Int>
    /// The words of its file.
    let tokens: [LuaToken]

    /// The functions of a file that have a name, in order.
    static func read(_ tokens: [LuaToken]) -> [LuaFunction] {
        tokens.indices.compactMap { position in
            guard tokens[position] == .name("function"), position + 1 < tokens.count,
                case .name(let name) = tokens[position + 1],
                let close = tokens[position...].firstIndex(of: .symbol(")"))
            else { return nil }
            let end = tokens.endOfBlock(openedAt: position)
            return LuaFunction(
                name: name, parameters: tokens[(position + 2)..<close].compactMap(\.asName),
                range: position..<min(end + 1, tokens.count), body: min(close + 1, end)..<end, tokens: tokens)
        }
    }
}

extension [LuaToken] {
    /// The position of the `end` or `until` that closes the block of the word at `position`: `function`, `if`, `do` or
    /// `repeat`. The end of the file if none does.
    func endOfBlock(openedAt position: Int) -> Int {
        var depth = 0
        for index in indices[position...] {
            switch self[index] {
            case .name("function"), .name("if"), .name("do"), .name("repeat"): depth += 1
            case .name("end"), .name("until"): depth -= 1
            default: continue
            }
            if depth == 0 { return index }
        }
        return endIndex
    }

    /// Whether these words stand at `position`.
    func has(_ words: [LuaToken], at position: Int) -> Bool {
        position >= 0 && position + words.count <= count && Array(self[position..<(position + words.count)]) == words
    }

    /// The word at `position`; nil outside the file.
    func word(_ position: Int) -> LuaToken? {
        indices.contains(position) ? self[position] : nil
    }
}
