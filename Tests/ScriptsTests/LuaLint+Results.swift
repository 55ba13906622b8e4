/// Every result code that a script returns is documented, and the other way round. A result that begins with no
/// number, as "how many were changed", is not looked at.
extension LuaLint {
    var problemsOfResults: [String] {
        if contract.results.isEmpty { return ["does not document what it returns"] }
        let documented = Set(
            contract.results.compactMap { result in
                result.code.map { result.isArray ? "{\($0)" : String($0) }
            })
        // Beside what has a number of its own, such as "how many were changed".
        let hasCount = contract.results.contains { $0.code == nil && !$0.isArray && $0.parts[0].type == "integer" }
        let returned = returned.filter { !hasCount || !$0.first!.isNumber || documented.contains($0) }
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
                returned.formUnion(codes(returnedBy: function, calledWith: arguments(openedAt: position + 2)))
            } else if let code = code(at: position + 1) {
                returned.insert(code)
            }
        }
        return returned
    }

    private func code(at position: Int) -> String? {
        Self.code(tokens[position...].prefix(3).map(\.text).joined()[...])
    }

    /// The results of a function of the script, a parameter replaced by what the call gives for it.
    private func codes(returnedBy function: LuaFunction, calledWith arguments: [[LuaToken]]) -> Set<String> {
        var codes: Set<String> = []
        for position in function.body where tokens[position] == .name("return") {
            let brace = tokens.word(position + 1) == .symbol("{") ? "{" : ""
            if let name = tokens.word(position + 1 + brace.count)?.asName,
                let parameter = function.parameters.firstIndex(of: name), parameter < arguments.count
            {
                let text = brace + arguments[parameter].map(\.text).joined()
                if let code = Self.code(text[...]) { codes.insert(code) }
            } else if let code = code(at: position + 1) {
                codes.insert(code)
            }
        }
        return codes
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
