/// Every KEYS and ARGV that is used is documented, and the other way round.
extension LuaLint {
    private static let types: Set = ["string", "hash", "zset", "stream"]
    /// The one key whose name is the wire's.
    private static let foreignKey = "transcription_segments"

    /// `-- KEYS[1]  usher:pattern  type: what it holds`. The columns stand two spaces apart.
    private var documentedKeys: [String] {
        entries("KEYS").map { index, description in
            let columns = description.split(separator: "  ").map { $0.drop { $0 == " " } }
            let type = columns.dropFirst().first?.prefix { $0 != ":" }
            guard let pattern = columns.first, pattern.hasPrefix("usher:") || pattern == Self.foreignKey, let type,
                Self.types.contains(String(type))
            else { return "\(index) without a pattern and a type" }
            return index
        }
    }

    private func entries(_ table: String) -> [(index: String, description: Substring)] {
        header.compactMap { line in
            guard line.hasPrefix("-- \(table)["), let end = line.firstIndex(of: "]") else { return nil }
            let index = line[..<end].dropFirst(table.count + 4)
            return (String(index), line[end...].dropFirst().drop { $0 == " " })
        }
    }

    var problemsOfIndices: [String] {
        let arguments = entries("ARGV").map(\.index)
        return problemsOfIndices("KEYS", documented: documentedKeys)
            + problemsOfIndices("ARGV", documented: arguments)
    }

    private func problemsOfIndices(_ table: String, documented: [String]) -> [String] {
        var problems: [String] = []
        var used: Set<String> = []
        for position in tokens.indices where tokens[position] == .name(table) {
            switch use(ofTableAt: position) {
            case .index(let index): used.insert(index)
            // Whether there is more than the fixed ones, which must be said of the right number.
            case .count(let fixed) where documented.last == "\(fixed + 1)...": break
            case .bound: break
            case .count, nil: problems.append("uses \(table) other than by a fixed index")
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

    // MARK: Uses

    private enum Use {
        /// `1`, or `2...` for this one and all that follow.
        case index(String)
        /// `#ARGV > 7`: whether there are more than so many.
        case count(Int)
        /// The bound of a loop; what the loop does with it is looked at where it does it.
        case bound
    }

    private func use(ofTableAt position: Int) -> Use? {
        let opens = tokens.word(position + 1) == .symbol("[")
        if opens, case .number(let index)? = tokens.word(position + 2), tokens.word(position + 3) == .symbol("]") {
            return .index(index)
        }
        if opens { return indexInLoop(ofTableAt: position) }
        if tokens.has([.name("unpack"), .symbol("(")], at: position - 2) {
            if tokens.word(position + 1) == .symbol(")") { return .index("1...") }
            if tokens.word(position + 1) == .symbol(","), case .number(let start)? = tokens.word(position + 2),
                tokens.word(position + 3) == .symbol(")")
            {
                return .index("\(start)...")
            }
        }
        guard tokens.word(position - 1) == .symbol("#") else { return nil }
        if loops.contains(where: { $0.bound == position }) { return .bound }
        if tokens.word(position + 1) == .symbol(">"), case .number(let fixed)? = tokens.word(position + 2),
            let count = Int(fixed)
        {
            return .count(count)
        }
        return nil
    }

    /// `for index = 3, #ARGV, step do`, the only loop over what is documented as `ARGV[3...]`.
    private struct Loop {
        let variable: String
        let start: Int
        let step: Int
        /// The place of ARGV.
        let bound: Int
        let body: Range<Int>
    }

    private var loops: [Loop] {
        tokens.indices.compactMap { position in
            guard tokens[position] == .name("for"), let variable = tokens.word(position + 1)?.asName,
                tokens.word(position + 2) == .symbol("="), let start = number(position + 3),
                tokens.has([.symbol(","), .symbol("#"), .name("ARGV")], at: position + 4)
            else { return nil }
            var open = position + 7
            var step = 1
            if tokens.word(open) == .symbol(",") {
                guard let given = number(open + 1), given > 0 else { return nil }
                step = given
                open += 2
            }
            guard tokens.word(open) == .name("do") else { return nil }
            let body = open..<tokens.endOfBlock(openedAt: open)
            // A variable that is changed, or another of its name, would be no index of the loop.
            let isChanged = body.contains {
                tokens[$0] == .name(variable)
                    && (tokens.word($0 - 1) == .name("local")
                        || (tokens.word($0 + 1) == .symbol("=") && tokens.word($0 + 2) != .symbol("=")
                            && tokens.word($0 - 1) != .symbol("=")))
            }
            return isChanged
                ? nil : Loop(variable: variable, start: start, step: step, bound: position + 6, body: body)
        }
    }

    private func number(_ position: Int) -> Int? {
        if case .number(let text)? = tokens.word(position) { Int(text) } else { nil }
    }

    /// `ARGV[index]`, or `ARGV[index + 1]` within the step of its loop; `KEYS[index - 1]` where the loop has no step,
    /// so that it comes past each.
    private func indexInLoop(ofTableAt position: Int) -> Use? {
        guard let variable = tokens.word(position + 2)?.asName,
            let loop = loops.last(where: { $0.body.contains(position) && $0.variable == variable })
        else { return nil }
        var offset = 0
        if tokens.word(position + 3) != .symbol("]") {
            guard let distance = number(position + 4), tokens.word(position + 5) == .symbol("]") else { return nil }
            switch tokens.word(position + 3) {
            case .symbol("+"): offset = distance
            case .symbol("-"): offset = -distance
            default: return nil
            }
        }
        if tokens[position] == .name("ARGV") {
            return (0..<loop.step).contains(offset) ? .index("\(loop.start)...") : nil
        }
        return loop.step == 1 ? .index("\(loop.start + offset)...") : nil
    }
}
