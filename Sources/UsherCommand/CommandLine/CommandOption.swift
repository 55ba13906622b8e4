/// What a command takes besides settings and words of its own.
struct CommandOption: Equatable, Sendable {
    let flag: String
    /// What stands for the value in help; nil: it takes none.
    let placeholder: String?

    static let json = CommandOption(flag: "--json", placeholder: nil)
    static let limit = CommandOption(flag: "--limit", placeholder: "N")
    static let skip = CommandOption(flag: "--skip", placeholder: "N")
    static let cursor = CommandOption(flag: "--cursor", placeholder: "TEXT")
    static let search = CommandOption(flag: "--search", placeholder: "TEXT")
    static let workspace = CommandOption(flag: "--workspace", placeholder: "ID")
    static let meeting = CommandOption(flag: "--meeting", placeholder: "ID")
    static let since = CommandOption(flag: "--since", placeholder: "TIME")
    static let now = CommandOption(flag: "--now", placeholder: "TIME")
    static let userID = CommandOption(flag: "--user-id", placeholder: "N")
    static let passcodeFile = CommandOption(flag: "--passcode-file", placeholder: "FILE")
    static let out = CommandOption(flag: "--out", placeholder: "FILE")
    static let running = CommandOption(flag: "--running", placeholder: "skip")
    static let markdown = CommandOption(flag: "--markdown", placeholder: nil)

    /// As usages show it where it may be left out.
    var shown: String { "[\(flag)\(placeholder.map { " \($0)" } ?? "")]" }
}

extension Command {
    var options: [CommandOption] {
        switch self {
        case .users: [.limit, .skip, .json]
        case .workspaces: [.search, .limit, .skip, .json]
        case .meetings, .bots: [.limit, .cursor, .json]
        case .send: [.userID, .passcodeFile]
        case .stop: [.userID]
        case .keys: [.workspace]
        case .export: [.out, .running]
        case .calendars: [.now, .json]
        case .status: [.json]
        case .watch: [.workspace, .meeting, .since]
        case .help: [.markdown]
        default: []
        }
    }

    /// What follows it that is neither setting nor option, where there is a choice.
    var words: [String] {
        switch self {
        case .admin: AdminAction.allCases.map(\.rawValue)
        case .calendars: ["check"]
        case .completion: Completion.allCases.map(\.rawValue)
        case .help: Command.allCases.filter { !$0.isInternal }.map(\.rawValue) + ["settings", "metrics"]
        default: []
        }
    }
}
