/// What a connection says first, and what the replies to it mean. Pure: no I/O.
struct Login {
    enum Outcome: Equatable {
        /// The SHA-1 of each script, by its name.
        case ready(scriptHashes: [String: String])
        /// Redis is there but takes no commands at the moment: worth another try.
        case notYet(String)
        /// A wrong password, or a script that does not compile: in Redis' own words.
        case refused(String)
    }

    let commands: [Command]
    /// Which of the commands load a script. One with flags is loaded without them too, in case Redis does not know any.
    private let loads: [(script: String, index: Int, indexWithoutFlags: Int?)]
    private let hasPassword: Bool
    /// Which of the commands asks whether this is the primary, if one does.
    private let roleIndex: Int?

    init(_ configuration: ClientConfiguration) {
        let url = configuration.url
        var commands: [Command] = []
        if let password = url.password {
            commands.append(url.user.map { Command("AUTH", $0, password) } ?? Command("AUTH", password))
        }
        if url.database != 0 { commands.append(Command("SELECT", String(url.database))) }
        if !configuration.name.isEmpty { commands.append(Command("CLIENT", "SETNAME", configuration.name)) }
        // Sentinels may be out of date.
        roleIndex = url.isSentinel ? commands.count : nil
        if url.isSentinel { commands.append(Command("ROLE")) }
        var loads: [(script: String, index: Int, indexWithoutFlags: Int?)] = []
        for script in configuration.scripts {
            let plain = script.withoutFlags
            loads.append((script.name, commands.count, plain.map { _ in commands.count + 1 }))
            for text in [script.text, plain].compactMap(\.self) { commands.append(Command("SCRIPT", "LOAD", text)) }
        }
        // Unlike those before it, refused while Redis loads its data, even if there are no scripts.
        commands.append(Command("PING"))
        self.commands = commands
        self.loads = loads
        hasPassword = url.password != nil
    }

    /// - Parameter replies: one for each command.
    func outcome(of replies: [Value]) -> Outcome {
        for (index, reply) in replies.enumerated() {
            guard case .error(let text) = reply else { continue }
            if Self.passes(text) { return .notYet(text) }
            if index == 0, hasPassword { return .refused(Self.withoutSecrets(text)) }
            let load = loads.last { $0.index <= index && index <= $0.indexWithoutFlags ?? $0.index }
            // It counts without its flags.
            if load?.index == index, load?.indexWithoutFlags != nil, Script.isCompileError(text) { continue }
            return .refused(load.map { "script \($0.script): \(text)" } ?? text)
        }
        if let roleIndex, let role = replies[roleIndex].array?.first?.string, role != "master" {
            return .notYet("it is not the primary: its ROLE is \(role)")
        }
        var hashes: [String: String] = [:]
        for load in loads {
            guard let hash = replies[load.index].string ?? load.indexWithoutFlags.flatMap({ replies[$0].string }) else {
                return .refused("SCRIPT LOAD returned no hash: not a Redis")
            }
            hashes[load.script] = hash
        }
        return .ready(scriptHashes: hashes)
    }

    /// Whether an error ends by itself: Redis loads its data, runs a long script, or waits for its master.
    private static func passes(_ text: String) -> Bool {
        ["LOADING ", "BUSY ", "MASTERDOWN "].contains { text.hasPrefix($0) }
    }

    /// A server that does not know AUTH may repeat its arguments in the error, and errors are logged.
    private static func withoutSecrets(_ text: String) -> String {
        let isKnown = ["WRONGPASS ", "NOPERM ", "ERR AUTH "].contains { text.hasPrefix($0) }
        return isKnown ? text : "AUTH was refused, and not for a wrong password"
    }
}
