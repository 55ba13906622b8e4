import GenerateScripts

/// A script begins by giving what it gets the names of its header, in that order, and uses KEYS and ARGV nowhere else.
extension LuaLint {
    /// What the first of the includes that has keys makes of them: the table `keys`.
    var sharedKeys: [String] {
        included.map { ScriptHeader(includes[$0] ?? "").keys }.first { !$0.isEmpty }?.map(\.name) ?? []
    }

    var bindings: [LuaToken] { LuaToken.read(contract.bindings(after: sharedKeys.count)) }

    var problemsOfBindings: [String] {
        let bindings = bindings
        let keys = contract.keys.map(\.name)
        let names = keys + contract.arguments.map(\.name)
        var problems: [String] = []
        if contract.sharedKeys != sharedKeys.count {
            problems.append("does not say, before its own keys, how many are those of an include")
        }
        if Set(names).count != names.count { problems.append("has two of one name") }
        for key in contract.keys where !key.name.hasSuffix(key.isList ? "_keys" : "_key") {
            problems.append("has the key \(key.name), which is not called one")
        }
        guard tokens.starts(with: bindings) else {
            return problems + ["does not begin with its names:\n\(contract.bindings(after: sharedKeys.count))"]
        }
        let code = tokens[bindings.count...]
        if code.contains(.name("KEYS")) || code.contains(.name("ARGV")) {
            problems.append("uses KEYS or ARGV other than by the names of its header")
        }
        for name in names where !code.contains(.name(name)) { problems.append("does not use \(name)") }
        let declared = Self.declared(in: Array(code))
        for name in names where declared.contains(name) { problems.append("declares \(name) again") }
        for position in code.indices where keys.contains(tokens[position].asName ?? "") {
            let isAssigned =
                tokens.word(position + 1) == .symbol("=") && tokens.word(position + 2) != .symbol("=")
            if isAssigned, tokens.word(position - 1) != .symbol(".") {
                problems.append("changes \(tokens[position].text)")
            }
        }
        return problems
    }

    /// What locals, loops and parameters are called.
    private static func declared(in tokens: [LuaToken]) -> Set<String> {
        var declared: Set<String> = []
        for (position, token) in tokens.enumerated() {
            if token == .name("local") || token == .name("for") {
                declared.formUnion(names(in: tokens[(position + 1)...]))
            } else if token == .name("function") {
                declared.formUnion(tokens[(position + 1)...].prefix { $0 != .symbol(")") }.compactMap(\.asName))
            }
        }
        return declared
    }
}
