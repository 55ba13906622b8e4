/// Every key that Redis is given is one of KEYS, whatever way it takes through the includes. An include's function
/// gets keys by its first parameter alone: one key, `<what>_key`, or a table of them, `keys`.
extension LuaLint {
    /// Commands that take no key.
    private static let keylessCommands: Set = ["TIME", "INFO"]
    /// Commands whose second argument is the key, after a subcommand.
    private static let containerCommands: Set = ["XINFO", "XGROUP"]
    /// Commands whose key stands behind the word STREAMS.
    private static let streamCommands: Set = ["XREADGROUP"]
    /// Commands all of whose arguments are keys.
    private static let manyKeyCommands: Set = ["DEL", "EXISTS", "UNLINK", "MGET"]

    // MARK: In a script

    var problemsOfKeys: [String] {
        var problems: [String] = []
        // Those that the script uses itself, or gives to functions that do.
        var tables: [String: (members: Set<String>, used: Set<String>)] = [:]
        var places: Set<Int> = []
        if !sharedKeys.isEmpty { tables["keys"] = (Set(sharedKeys), []) }
        for table in keyTables {
            if tables.updateValue((table.members, []), forKey: table.name) != nil {
                problems.append("declares the table \(table.name) twice")
            }
            places.insert(table.place)
        }
        for position in tokens.indices {
            guard let name = tokens[position].asName, tokens.word(position - 1) != .symbol("."),
                let member = member(at: position), tables[name]?.members.contains(member) == true
            else { continue }
            let isAssigned = tokens.word(position + 3) == .symbol("=") && tokens.word(position + 4) != .symbol("=")
            if !isAssigned {
                places.insert(position)
                tables[name]?.used.insert(member)
            }
        }
        let needs = Self.needs(functions)
        problems += Self.problemsOfRedis(tokens, at: tokens.indices, endOfKey: endOfKey)
        for function in functions {
            for call in Self.calls(of: function.name, in: tokens, at: tokens.indices, &problems) {
                if function.takesOneKey, endOfKey(call) == nil {
                    problems.append("calls \(function.name) with another key than one of KEYS")
                }
                guard function.takesKeys else { continue }
                guard let name = tokens.word(call)?.asName, let table = tables[name],
                    [.symbol(","), .symbol(")")].contains(tokens.word(call + 1))
                else {
                    problems.append("calls \(function.name) with keys that are no table of KEYS")
                    continue
                }
                places.insert(call)
                let needed = needs[function.name] ?? []
                for member in needed.subtracting(table.members).sorted() {
                    problems.append("calls \(function.name) without the key \(member)")
                }
                tables[name]?.used.formUnion(needed)
            }
        }
        for (name, table) in tables {
            for member in table.members.subtracting(table.used).sorted() {
                problems.append("gives \(name) the key \(member), which nothing takes")
            }
            for position in tokens.indices where tokens[position] == .name(name) && !places.contains(position) {
                if tokens.word(position - 1) != .symbol(".") {
                    problems.append("uses \(name) other than to give its keys")
                }
            }
        }
        return problems
    }

    /// Where the key that begins at a place ends; nil if none does. `lock_key`, `bot_keys[index]` or `keys.meeting`.
    private func endOfKey(_ position: Int) -> Int? {
        guard let name = tokens.word(position)?.asName else { return nil }
        if let key = contract.keys.first(where: { $0.name == name }) {
            guard key.isList else { return position + 1 }
            guard tokens.word(position + 1) == .symbol("[") else { return nil }
            return tokens[position...].firstIndex(of: .symbol("]")).map { $0 + 1 }
        }
        guard name == "keys", let member = member(at: position), sharedKeys.contains(member) else { return nil }
        return position + 3
    }

    /// `name.member`.
    private func member(at position: Int) -> String? {
        tokens.word(position + 1) == .symbol(".") ? tokens.word(position + 2)?.asName : nil
    }

    /// `local name = {member = lock_key, ...}`: every table that holds nothing but keys.
    private var keyTables: [(name: String, members: Set<String>, place: Int)] {
        tokens.indices.compactMap { position in
            guard tokens[position] == .name("local"), let name = tokens.word(position + 1)?.asName,
                tokens.has([.symbol("="), .symbol("{")], at: position + 2)
            else { return nil }
            var members: Set<String> = []
            var next = position + 4
            while let member = tokens.word(next)?.asName, tokens.word(next + 1) == .symbol("="),
                let end = endOfKey(next + 2), members.insert(member).inserted
            {
                next = end
                if tokens.word(next) == .symbol("}") { return (name, members, position + 1) }
                guard tokens.word(next) == .symbol(",") else { return nil }
                next += 1
            }
            return nil
        }
    }

    // MARK: In an include

    static func problemsOfKeys(in function: LuaFunction, calling functions: [LuaFunction]) -> [String] {
        let tokens = function.tokens
        var problems: [String] = []
        if function.parameters.dropFirst().contains(where: { $0 == "keys" || $0.hasSuffix("_key") }) {
            problems.append("takes a key that is not the first parameter of \(function.name)")
        }
        let first = function.parameters.first ?? ""
        var places: Set<Int> = []
        /// Where the key at this place ends, and that it is one.
        func endOfKey(_ position: Int) -> Int? {
            guard tokens.word(position) == .name(first) else { return nil }
            if function.takesOneKey {
                places.insert(position)
                return position + 1
            }
            guard function.takesKeys, tokens.word(position + 1) == .symbol("."),
                tokens.word(position + 2)?.asName != nil
            else { return nil }
            places.insert(position)
            return position + 3
        }
        problems += problemsOfRedis(tokens, at: function.body, endOfKey: endOfKey)
        for other in functions {
            for call in calls(of: other.name, in: tokens, at: function.body, &problems) {
                if other.takesOneKey, endOfKey(call) == nil {
                    problems.append("calls \(other.name) with another key than it is given")
                }
                guard other.takesKeys else { continue }
                if function.takesKeys, tokens.word(call) == .name(first),
                    [.symbol(","), .symbol(")")].contains(tokens.word(call + 1))
                {
                    places.insert(call)
                } else {
                    problems.append("calls \(other.name) with keys that it is not given")
                }
            }
        }
        guard function.takesKeys || function.takesOneKey else { return problems }
        for position in function.body where tokens[position] == .name(first) && !places.contains(position) {
            if tokens.word(position - 1) != .symbol(".") { problems.append("uses \(first) other than as a key") }
        }
        return problems
    }

    /// The members of `keys` that each function takes, itself or by those that it calls.
    private static func needs(_ functions: [LuaFunction]) -> [String: Set<String>] {
        var needs: [String: Set<String>] = [:]
        // A function can call only those before it.
        for function in functions where function.takesKeys {
            let tokens = function.tokens
            var own: Set<String> = []
            for position in function.body {
                if tokens.has([.name("keys"), .symbol(".")], at: position),
                    let member = tokens.word(position + 2)?.asName
                {
                    own.insert(member)
                } else if let name = tokens[position].asName, let others = needs[name],
                    tokens.has([.symbol("("), .name("keys")], at: position + 1)
                {
                    own.formUnion(others)
                }
            }
            needs[function.name] = own
        }
        return needs
    }

    // MARK: Calls

    /// The place of the first argument of each call of a function. Whoever gave it another name would hide its calls.
    private static func calls(
        of name: String, in tokens: [LuaToken], at places: Range<Int>, _ problems: inout [String]
    ) -> [Int] {
        var calls: [Int] = []
        for position in places where tokens[position] == .name(name) && tokens.word(position - 1) != .symbol(".") {
            if tokens.word(position + 1) == .symbol("("), tokens.word(position - 1) != .name("function") {
                calls.append(position + 2)
            } else {
                problems.append("uses \(name) other than by calling it")
            }
        }
        return calls
    }

    /// - Parameter endOfKey: where the key that begins at a place ends; nil if none does.
    private static func problemsOfRedis(
        _ tokens: [LuaToken], at places: Range<Int>, endOfKey: (Int) -> Int?
    ) -> [String] {
        places.filter { tokens[$0] == .name("redis") }.compactMap { position in
            let isProtected = tokens.word(position + 2) == .name("pcall")
            guard tokens.word(position + 1) == .symbol("."), isProtected || tokens.word(position + 2) == .name("call"),
                tokens.word(position + 3) == .symbol("("), case .string(let command)? = tokens.word(position + 4)
            else { return "uses redis other than by redis.call with a fixed command" }
            if isProtected, !looksAtError(of: position, tokens) {
                return "does not look at the error of \(command) at once"
            }
            if keylessCommands.contains(command) { return nil }
            var key = position + 6
            if containerCommands.contains(command) {
                guard tokens.word(position + 5) == .symbol(","), case .string? = tokens.word(position + 6) else {
                    return "calls \(command) without a fixed subcommand"
                }
                key += 2
            }
            if streamCommands.contains(command) {
                guard let word = tokens[key...].firstIndex(of: .string("STREAMS")) else {
                    return "calls \(command) without STREAMS"
                }
                key = word + 2
            }
            repeat {
                guard tokens.word(key - 1) == .symbol(","), let end = endOfKey(key) else {
                    return "calls \(command) on another key than one of KEYS"
                }
                key = end + 1
            } while manyKeyCommands.contains(command) && tokens.word(key - 1) != .symbol(")")
            return nil
        }
    }

    /// `local reply = redis.pcall(...) if reply.err then`.
    private static func looksAtError(of position: Int, _ tokens: [LuaToken]) -> Bool {
        guard tokens.word(position - 3) == .name("local"), let name = tokens.word(position - 2)?.asName,
            tokens.word(position - 1) == .symbol("=")
        else { return false }
        var depth = 0
        for index in tokens.indices[(position + 3)...] {
            if tokens[index] == .symbol("(") { depth += 1 }
            if tokens[index] == .symbol(")") { depth -= 1 }
            if depth == 0 {
                let check: [LuaToken] = [.name("if"), .name(name), .symbol("."), .name("err"), .name("then")]
                return tokens.has(check, at: index + 1)
            }
        }
        return false
    }
}

extension LuaFunction {
    fileprivate var takesOneKey: Bool { parameters.first?.hasSuffix("_key") == true }
    fileprivate var takesKeys: Bool { parameters.first == "keys" }
}
