/// Every result that a script returns is documented by its word, and the other way round. What is neither a word nor a
/// number, such as a record, is not looked at.
extension LuaLint {
    var problemsOfResults: [String] {
        if contract.results.isEmpty { return ["does not document what it returns"] }
        let documented = Set(
            contract.results.compactMap { result in result.word.map { (result.isArray ? "{" : "") + "'\($0)'" } })
        // A number is no word, but may be the value of the only result.
        let returned = documented.isEmpty ? returned.filter { !$0.last!.isNumber } : returned
        return documented.subtracting(returned).sorted().map { "documents the result \($0), which it never returns" }
            + returned.subtracting(documented).sorted().map { "does not document the result \($0)" }
    }

    /// The word or number that a result begins with, in its braces if it is an array: `'taken'`, `{'taken'`, `{-2`.
    private static func beginning(_ tokens: some Collection<LuaToken>) -> String? {
        switch tokens.first {
        case .symbol("{"): beginning(tokens.dropFirst()).map { "{" + $0 }
        case .symbol("-"): beginning(tokens.dropFirst()).map { "-" + $0 }
        case .string(let word): "'\(word)'"
        case .number(let number): number
        default: nil
        }
    }

    /// What the script's own `return`s begin with; where one returns what a function of the script does, the results of
    /// that function.
    private var returned: Set<String> {
        let functions = LuaFunction.read(tokens)
        var returned: Set<String> = []
        for position in tokens.indices where tokens[position] == .name("return") {
            guard !functions.contains(where: { $0.range.contains(position) }) else { continue }
            if let name = tokens.word(position + 1)?.asName, tokens.word(position + 2) == .symbol("("),
                let function = functions.first(where: { $0.name == name })
            {
                returned.formUnion(results(of: function, calledWith: arguments(openedAt: position + 2)))
            } else if let result = Self.beginning(tokens[(position + 1)...].prefix(3)) {
                returned.insert(result)
            }
        }
        return returned
    }

    /// The results of a function of the script, a parameter replaced by what the call gives for it.
    private func results(of function: LuaFunction, calledWith arguments: [[LuaToken]]) -> Set<String> {
        var results: Set<String> = []
        for position in function.body where tokens[position] == .name("return") {
            let brace = tokens.word(position + 1) == .symbol("{") ? "{" : ""
            if let name = tokens.word(position + 1 + brace.count)?.asName,
                let parameter = function.parameters.firstIndex(of: name), parameter < arguments.count
            {
                if let result = Self.beginning(arguments[parameter]) { results.insert(brace + result) }
            } else if let result = Self.beginning(tokens[(position + 1)...].prefix(3)) {
                results.insert(result)
            }
        }
        return results
    }

    /// The arguments of a call whose parenthesis opens at `position`.
    private func arguments(openedAt position: Int) -> [[LuaToken]] {
        var arguments: [[LuaToken]] = [[]]
        var depth = 0
        for token in tokens[position...] {
            if case .symbol(let symbol) = token {
                if ")}]".contains(symbol) {
                    depth -= 1
                    if depth == 0 { return arguments }
                }
                if "({[".contains(symbol) {
                    depth += 1
                    if depth == 1 { continue }
                }
                if symbol == ",", depth == 1 {
                    arguments.append([])
                    continue
                }
            }
            arguments[arguments.count - 1].append(token)
        }
        return arguments
    }
}
