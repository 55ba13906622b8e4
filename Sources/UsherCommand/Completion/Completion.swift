/// A shell, and what completes command lines of usher there: made of the declarations of commands and settings.
enum Completion: String, CaseIterable, Sendable {
    case bash, zsh, fish

    /// Ends with a line break.
    var script: String {
        switch self {
        case .bash: bash
        case .zsh: zsh
        case .fish: fish
        }
    }

    /// What a command takes that begins with two dashes.
    struct Flag {
        enum Value {
            case none
            case one(of: [String])
            case file, other
        }

        let name: String
        let value: Value
        let meaning: String
    }

    static let commands = Command.allCases.filter { !$0.isInternal }

    static func flags(of command: Command) -> [Flag] {
        var flags = command.options.map { option in
            Flag(
                name: option.flag,
                value: option.placeholder == nil
                    ? .none : [.passcodeFile, .out].contains(option) ? .file : .other, meaning: "")
        }
        if command == .admin {
            let roles = AdminAction.Option.role.placeholder.split(separator: "|").map(String.init)
            flags += AdminAction.Option.allCases.map { option in
                Flag(name: option.flag, value: option == .role ? .one(of: roles) : .other, meaning: "")
            }
        }
        for setting in Setting.of(command) {
            flags.append(Flag(name: setting.flag, value: value(of: setting), meaning: setting.meaning))
            if setting.isSecret {
                flags.append(Flag(name: setting.fileFlag, value: .file, meaning: "A file that holds \(setting.flag)"))
            }
        }
        return flags + [Flag(name: "--help", value: .none, meaning: "Explain the command")]
    }

    private static func value(of setting: Setting) -> Flag.Value {
        switch setting.kind {
        case .toggle: .none
        case .choice(let names), .choices(let names): .one(of: names)
        case .file, .folder, .command: .file
        default: .other
        }
    }

    /// Those of all commands that take a value, each once.
    static var flagsWithValues: [Flag] {
        var seen: Set<String> = []
        return commands.flatMap(flags).filter { flag in
            if case .none = flag.value { false } else { seen.insert(flag.name).inserted }
        }
    }
}
