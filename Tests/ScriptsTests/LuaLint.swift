import GenerateScripts

/// Holds a script against its header: what `lua/` promises to readers must be what Redis runs. Rules of the style page,
/// "Lua".
struct LuaLint {
    static let maximumLines = 100
    static let maximumLineLength = 120

    let header: [Substring]
    /// What the header says.
    let contract: ScriptHeader
    let tokens: [LuaToken]
    /// Names of the includes, in the order in which they are put in.
    let included: [String]
    let includes: [String: String]
    private let lines: [Substring]

    /// - Parameters:
    ///   - text: the script's file.
    ///   - includes: every file of `lua/includes`, by name.
    init(_ text: String, includes: [String: String]) {
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        header = Array(lines.prefix { $0.hasPrefix("--") && !$0.hasPrefix(ScriptHeader.includeDirective) })
        contract = ScriptHeader(text)
        included = contract.includes
        tokens = LuaToken.read(text)
        self.includes = includes
    }

    /// What is wrong, as sentences; empty if all is well.
    var problems: [String] {
        let lineCount = lines.last == "" ? lines.count - 1 : lines.count
        let known = functions.map(\.name) + (sharedKeys.isEmpty ? [] : ["keys"])
        var problems = Self.problemsOfNames(tokens, known: known) + Self.problemsOfLines(lines)
        if lineCount > Self.maximumLines { problems.append("has \(lineCount) lines, over \(Self.maximumLines)") }
        if header.isEmpty { problems.append("has no header") }
        problems += contract.problems + problemsOfFlags
        return problems + problemsOfBindings + problemsOfIncludes + problemsOfKeys + problemsOfResults
    }

    /// What is wrong with a file of `lua/includes`.
    /// - Parameter includes: every file there, by name.
    static func problems(ofInclude text: String, includes: [String: String]) -> [String] {
        let tokens = LuaToken.read(text)
        let contract = ScriptHeader(text)
        guard contract.keys.isEmpty else {
            return contract.problems
                + (tokens == LuaToken.read(contract.table) ? [] : ["is not its keys:\n\(contract.table)"])
        }
        let own = LuaFunction.read(tokens)
        let ownNames = Set(own.map(\.name))
        let others = includes.values.flatMap { LuaFunction.read(LuaToken.read($0)) }
            .filter { !ownNames.contains($0.name) }
        var problems = problemsOfNames(tokens, known: others.map(\.name))
        problems += problemsOfLines(text.split(separator: "\n"))
        problems += own.flatMap { problemsOfKeys(in: $0, calling: others + own) }
        let isInside = { (position: Int) in own.contains { $0.range.contains(position) } }
        // `local` stands before `function`.
        if tokens.indices.contains(where: { !isInside($0) && !isInside($0 + 1) }) {
            problems.append("has code outside its functions")
        }
        if own.isEmpty { problems.append("has no function") }
        if tokens.contains(.name("KEYS")) || tokens.contains(.name("ARGV")) {
            problems.append("uses KEYS or ARGV, which belong to the script")
        }
        return problems
    }

    /// One line at most, before the keys, with flags that Redis knows: it becomes the script's first.
    private var problemsOfFlags: [String] {
        let directive = "-- flags: "
        let all = lines.indices.filter { lines[$0].hasPrefix(directive) }
        guard let first = all.first else { return [] }
        var problems = all.count > 1 ? ["has two lines of flags"] : []
        for flag in lines[first].dropFirst(directive.count).split(separator: ",") where flag != "allow-oom" {
            problems.append("has the unknown flag \(flag)")
        }
        if let keys = header.firstIndex(where: { $0.hasPrefix("-- KEYS") }), first > keys {
            problems.append("has its flags behind its keys")
        }
        return problems
    }

    private static func problemsOfLines(_ lines: [Substring]) -> [String] {
        lines.enumerated().filter { $0.element.count > maximumLineLength }
            .map { "has \($0.element.count) characters in line \($0.offset + 1), over \(maximumLineLength)" }
    }

    // MARK: Includes

    /// The functions of the includes, in the order in which Redis reads them.
    var functions: [LuaFunction] { included.flatMap { LuaFunction.read(LuaToken.read(includes[$0] ?? "")) } }

    private var problemsOfIncludes: [String] {
        var problems: [String] = []
        var users = tokens
        // From the last to the first: an include is used by the script or by one that comes after it.
        for (position, name) in included.enumerated().reversed() {
            guard let text = includes[name] else {
                problems.append("includes \(name), which is not there")
                continue
            }
            let own = LuaToken.read(text)
            let isKeys = !ScriptHeader(text).keys.isEmpty
            if !isKeys, !LuaFunction.read(own).contains(where: { users.contains(.name($0.name)) }) {
                problems.append("includes \(name) and does not use it")
            }
            let before = Set(included[..<position])
            for (other, otherText) in includes where other != name && !before.contains(other) {
                let functions = LuaFunction.read(LuaToken.read(otherText))
                if functions.contains(where: { own.contains(.name($0.name)) }) {
                    problems.append("does not include \(other) before \(name), which uses it")
                }
            }
            users += own
        }
        if Set(included).count != included.count { problems.append("includes a file twice") }
        return problems
    }
}
