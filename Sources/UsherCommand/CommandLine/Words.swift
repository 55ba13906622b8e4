/// The words after the command, sorted out.
struct Words {
    private(set) var settings: [String: String] = [:]
    /// Files of secrets, by the names of their settings.
    private(set) var files: [String: String] = [:]
    private(set) var options: [AdminAction.Option: String] = [:]
    private(set) var operands: [String] = []
    /// `--json` of commands that show records.
    private(set) var isJSON = false
    /// The values of other options of the command, by their flags.
    private(set) var filters: [String: String] = [:]

    subscript(option: CommandOption) -> String? { filters[option.flag] }

    private static let withOperands: Set<Command> = [
        .admin, .meetings, .bots, .send, .stop, .keys, .webhooks, .calendars, .export, .importing,
        .probe, .completion,
    ]

    init(_ command: Command, _ arguments: [String]) throws(UsageError) {
        let takesJSON = command.options.contains(.json)
        var index = 0
        while index < arguments.count {
            let argument = arguments[index]
            index += 1
            if takesJSON, argument == "--json" {
                guard !isJSON else { throw UsageError("--json is given twice.") }
                isJSON = true
                continue
            }
            guard argument.hasPrefix("-"), argument.count > 1 else {
                guard !Setting.of(command).isEmpty || command == .completion else {
                    throw UsageError("usher \(command.rawValue) takes nothing more.")
                }
                guard Self.withOperands.contains(command) else {
                    // Not repeated: it may be the second half of a secret that holds a space.
                    throw UsageError(
                        "usher \(command.rawValue) takes settings only, such as --port 8080, "
                            + "but its argument \(index) is none.")
                }
                operands.append(argument)
                continue
            }
            let flag = flagName(argument)
            let setting = Setting.of(command).first { $0.flag == flag }
            let inFile = Setting.of(command).first { $0.isSecret && $0.fileFlag == flag }
            let option = command == .admin ? AdminAction.Option.allCases.first { $0.flag == flag } : nil
            let isFilter = command.options.contains { $0.flag == flag }
            guard !takesJSON || flag != CommandOption.json.flag else {
                throw UsageError("--json takes no value.")
            }
            guard setting != nil || inFile != nil || option != nil || isFilter else {
                throw Self.unknown(flag, command)
            }

            let value: String
            if flag.utf8.count < argument.utf8.count {
                value = String(decoding: argument.utf8.dropFirst(flag.utf8.count + 1), as: UTF8.self)
            } else if case .toggle? = setting?.kind {
                value = "yes"
            } else {
                guard index < arguments.count, !arguments[index].hasPrefix("--") else {
                    throw UsageError("\(flag) needs a value, as in `\(flag) VALUE` or `\(flag)=VALUE`.")
                }
                value = arguments[index]
                index += 1
            }
            var before: String?
            if let setting { before = settings.updateValue(value, forKey: setting.name) }
            if let inFile { before = files.updateValue(value, forKey: inFile.name) }
            if let option { before = options.updateValue(value, forKey: option) }
            if isFilter { before = filters.updateValue(value, forKey: flag) }
            guard before == nil else { throw UsageError("\(flag) is given twice.") }
        }
    }

    private static func unknown(_ flag: String, _ command: Command) -> UsageError {
        if let other = Setting.all.first(where: { $0.flag == flag || $0.isSecret && $0.fileFlag == flag }) {
            let commands = Command.allCases.filter(other.commands.contains).map { "usher \($0.rawValue)" }
            return UsageError(
                "\(flag) is not a setting of usher \(command.rawValue), but of \(commands.joined(separator: ", ")).")
        }
        var known = Setting.of(command).map(\.flag) + Setting.of(command).filter(\.isSecret).map(\.fileFlag)
        if command == .admin { known += AdminAction.Option.allCases.map(\.flag) }
        known += command.options.map(\.flag)
        return UsageError(
            "usher \(command.rawValue) does not know \(quoted(flag)); "
                + (nearest(to: flag, among: known).map { "is \($0) meant?" }
                    ?? "`usher \(command.rawValue) --help` lists what it takes."))
    }
}

/// `--port` of `--port=8080`. What follows the sign may be secret, so messages show this part only.
func flagName(_ argument: String) -> String {
    // By bytes: a combining mark after the sign would make another character of it.
    String(decoding: argument.utf8.prefix { $0 != UInt8(ascii: "=") }, as: UTF8.self)
}
