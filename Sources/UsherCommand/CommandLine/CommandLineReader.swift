import Log
import Redis
import Runner
import Usher

/// Reads the command line and the environment, which are given, and the files of secrets that they name; what they ask
/// for is returned.
struct CommandLineReader {
    let environment: [String: String]

    /// - Parameter arguments: without the program's name.
    /// - Throws: `UsageError`; then nothing may be started.
    func read(_ arguments: [String]) throws(UsageError) -> Invocation {
        guard let first = arguments.first else {
            throw UsageError("A command is needed; `usher help` lists them.")
        }
        if ["--version", "--help", "-h"].contains(first) {
            guard arguments.count == 1 else {
                throw UsageError("usher \(first) takes nothing more; `usher COMMAND --help` explains a command.")
            }
            return first == "--version" ? .version : .help(.overview)
        }
        guard let command = Command(rawValue: first) else {
            let hint = nearest(to: first, among: Command.allCases.map(\.rawValue))
            throw UsageError(
                "There is no command \(quoted(flagName(first))); "
                    + (hint.map { "is `usher \($0)` meant?" } ?? "`usher help` lists them."))
        }
        let rest = Array(arguments.dropFirst())
        if command == .help { return .help(try helpTopic(rest)) }
        if rest.contains("--help") || rest.contains("-h") { return .help(.command(command)) }

        let words = try Words(command, rest)
        let settings = Settings(given: try values(command, words))
        if Command.records.contains(command) {
            try settings.checkTLS(of: [settings.redisURL, settings.botRedisURL])
        }
        switch command {
        case .admin: return .admin(settings, try adminRequest(words))
        case .users, .workspaces, .meetings, .bots: return try list(command, settings, words)
        case .send, .stop: return try act(command, settings, words)
        case .keys: return .keys(settings, try keys(words))
        case .webhooks:
            return .webhooks(
                settings, workspace: try recordID(words, "usher webhooks needs the id of one workspace."))
        case .calendars: return try calendars(settings, words)
        case .export: return try export(settings, words)
        case .importing:
            guard let file = words.operands.first, words.operands.count == 1 else {
                throw UsageError("usher import needs the file of one export; - stands for standard input.")
            }
            return .importing(settings, file: file)
        case .up:
            try checkPorts(settings)
            try checkRedisOfBots(settings)
            try checkSocketOfBots(settings)
            try checkTranscription(settings)
            try checkAttend(settings)
            _ = try settings.operatorEndpoint()
            return .up(settings)
        case .runner:
            guard settings.launch != nil else {
                throw UsageError("usher runner needs --launch: the command that is run for each bot.")
            }
            try checkRedisOfBots(settings)
            try checkTranscription(settings)
            return .runner(settings)
        case .status: return .status(settings, asJSON: words.isJSON)
        case .watch: return .watch(settings, try filter(words))
        case .doctor: return .doctor(settings)
        case .probe: return .probe(settings, path: try probedPath(words))
        case .supervise: return .supervise
        case .openapi: return .openapi
        case .completion: return .completion(try shell(words))
        case .attend: return .attend(settings)
        case .lab: return .lab(settings)
        case .simulateBot: return .simulateBot(settings)
        case .serve, .help:
            try checkPorts(settings)
            _ = try settings.operatorEndpoint()
            return .serve(settings)
        }
    }

    /// Sentences about variables that look like settings and are none: probably misspelt, and so without effect.
    var warnings: [String] {
        let known = Setting.all.map(\.variable) + Setting.all.filter(\.isSecret).map(\.fileVariable)
        // What a runner tells its bots beside settings.
        let told = [Runner.segmentsVariable, Runner.recordingVariable]
        return environment.keys.filter { $0.hasPrefix("USHER_") && !(known + told).contains($0) }.sorted().map { name in
            let hint = nearest(to: name, among: known).map { "is \($0) meant?" } ?? "`usher help settings` lists them."
            return "The variable \(quoted(name)) is not a setting and has no effect; \(hint)"
        }
    }

    /// The values of a command's settings: the flag's, else the variable's. An empty variable counts as absent, as it
    /// is what compose files make of a variable that is not set.
    private func values(_ command: Command, _ words: Words) throws(UsageError) -> [String: String] {
        func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        var values: [String: String] = [:]
        for setting in Setting.of(command) {
            var text = try value(
                of: setting, words.settings[setting.name], by: setting.flag,
                inFile: words.files[setting.name], by: setting.fileFlag)
            if text == nil {
                text = try value(
                    of: setting, variable(setting.variable), by: setting.variable,
                    inFile: variable(setting.fileVariable), by: setting.fileVariable)
            }
            values[setting.name] = text
        }
        return values
    }

    /// - Parameters:
    ///   - text: what is given by the flag or variable `name`.
    ///   - path: what is given by `fileName`, of no meaning for a setting that is no secret.
    private func value(
        of setting: Setting, _ text: String?, by name: String, inFile path: String?, by fileName: String
    ) throws(UsageError) -> String? {
        var (text, source) = (text, name)
        if setting.isSecret, let path {
            guard text == nil else {
                throw UsageError("\(name) and \(fileName) are given, but they are one setting: leave one out.")
            }
            text = try SecretFile.text(path, namedBy: fileName)
            source = "What \(fileName) \(quoted(path)) holds"
        }
        guard let text else { return nil }
        guard setting.accepts(text) else { throw setting.refusal(of: text, from: source) }
        return text
    }

    /// What is to be on a port of its own is not to be found on the public one.
    private func checkPorts(_ settings: Settings) throws(UsageError) {
        guard settings.port != 0, settings.privateHost == settings.host else { return }
        let others: [(setting: KeyPath<SettingsTable, TypedSetting<Int?>>, path: String)] = [
            (\.adminPort, "/admin"), (\.internalPort, "/internal"), (\.metricsPort, "/metrics"),
            (\.consolePort, "/console"),
        ]
        for other in others where settings[dynamicMember: other.setting] == settings.port {
            let flag = Setting[other.setting].flag
            throw UsageError(
                "\(flag) is \(settings.port), which is the public port: \(other.path) would be found there. Choose another "
                    + "with \(flag), or leave it out if that is meant.")
        }
    }

    /// Bots know `redis://` alone: they neither ask Sentinels nor follow a Cluster.
    private func checkRedisOfBots(_ settings: Settings) throws(UsageError) {
        guard let url = try? RedisURL(settings.botRedisURL), url.isSentinel || url.isCluster else { return }
        throw UsageError(
            "Bots know a single address of Redis: give them one that leads to the primary by --bot-redis redis://..., "
                + "such as that of a proxy which follows it"
                + (url.isCluster ? " (in a Cluster: the primary of the slot of \(WireNames.segmentStream))." : "."))
    }

    /// Nor do they know Unix sockets; those of the private Redis, and simulated ones, need none.
    private func checkSocketOfBots(_ settings: Settings) throws(UsageError) {
        guard settings.launch != nil, !settings.has(\.botRedisURL),
            let url = try? RedisURL(settings.botRedisURL), case .unix = url.location
        else { return }
        throw UsageError(
            "Bots know Redis by redis://HOST alone, and this one is reached by a Unix socket: name an address of it for "
                + "them with --bot-redis redis://....")
    }

    /// Bots are of one kind.
    private func checkAttend(_ settings: Settings) throws(UsageError) {
        guard settings.attends, settings.has(\.launch) else { return }
        throw UsageError(
            "\(Setting[\.attends].flag) and \(Setting[\.launch].flag) are given, but there is one program for bots: leave one "
                + "out.")
    }

    /// What belongs to a speech service is of no use without one.
    private func checkTranscription(_ settings: Settings) throws(UsageError) {
        let parts = [
            Setting[\.transcriptionToken], Setting[\.transcriptionModel], Setting[\.transcriptionTier],
        ]
        guard !settings.has(\.transcriptionURL), let part = parts.first(where: { settings.has($0) }) else { return }
        throw UsageError(
            "\(part.flag) is given, but not the speech service that it is for: name that with "
                + "\(Setting[\.transcriptionURL].flag).")
    }

    private func helpTopic(_ words: [String]) throws(UsageError) -> HelpTopic {
        switch words {
        case [], ["--help"], ["-h"]: return .overview
        case ["settings"]: return .settings(markdown: false)
        case ["settings", "--markdown"]: return .settings(markdown: true)
        case ["metrics"]: return .metrics
        default: break
        }
        guard words.count == 1 else { throw UsageError("`\(Command.help.usage)` is all that help understands.") }
        guard let command = Command(rawValue: words[0]) else {
            let hint = nearest(to: words[0], among: Command.allCases.map(\.rawValue) + ["settings", "metrics"])
            throw UsageError(
                "There is no help on \(quoted(words[0])); "
                    + (hint.map { "is `usher help \($0)` meant?" } ?? "`usher help` lists the commands."))
        }
        return command == .help ? .overview : .command(command)
    }

    private func adminRequest(_ words: Words) throws(UsageError) -> AdminRequest {
        let names = AdminAction.allCases.map(\.rawValue)
        guard let word = words.operands.first else {
            throw UsageError("usher admin needs an action: \(names.joined(separator: ", ")).")
        }
        guard let action = AdminAction(rawValue: word) else {
            let hint = nearest(to: word, among: names)
            throw UsageError(
                "usher admin has no action \(quoted(word)); "
                    + (hint.map { "is \($0) meant?" } ?? "`usher admin --help` lists them."))
        }
        guard words.operands.count == 1 else {
            throw UsageError("usher admin \(word) takes options only; `usher admin --help` lists them.")
        }
        let understood = action.required + action.optional
        for option in AdminAction.Option.allCases where words.options[option] != nil && !understood.contains(option) {
            throw UsageError("\(option.flag) is not an option of usher admin \(word); `usher admin --help` lists them.")
        }
        return try action.request(words.options)
    }

    func recordID(_ words: Words, _ problem: String) throws(UsageError) -> String {
        guard let id = words.operands.first, words.operands.count == 1 else { throw UsageError(problem) }
        return try checkedID(id)
    }

    private func calendars(_ settings: Settings, _ words: Words) throws(UsageError) -> Invocation {
        let problem = "usher calendars needs the id of one workspace, or `check` and a file."
        guard words.operands.first == "check" else {
            guard words[.now] == nil, !words.isJSON else {
                throw UsageError("--now and --json belong to `usher calendars check`.")
            }
            return .calendars(settings, workspace: try recordID(words, problem))
        }
        guard words.operands.count == 2 else { throw UsageError(problem) }
        let now = words[.now].map { Timestamp.milliseconds(iso8601: $0) }
        if let now, now == nil { throw UsageError("--now must be a time, such as 2026-12-01T09:00:00Z.") }
        return .checkCalendar(file: words.operands[1], now: now.flatMap(\.self), asJSON: words.isJSON)
    }

    func checkedID(_ id: String) throws(UsageError) -> String {
        let isSane =
            id.utf8.count <= 128 && id.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_".contains($0)) }
        guard isSane, !id.isEmpty else {
            throw UsageError(
                "\(quoted(id)) cannot be the id of a workspace or a meeting: those are letters and digits.")
        }
        return id
    }

    private func probedPath(_ words: Words) throws(UsageError) -> String {
        guard let path = words.operands.first else { return "/healthz" }
        guard words.operands.count == 1, path.hasPrefix("/"), path.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else {
            throw UsageError("usher probe takes one path, such as /readyz.")
        }
        return path
    }
}
