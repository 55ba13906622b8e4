/// What `usher` can be told to do.
enum Command: String, CaseIterable, Sendable {
    case serve, up, admin, keys
    case simulateBot = "simulate-bot"
    case help

    /// One sentence for the overview.
    var meaning: String {
        switch self {
        case .serve: "Run one node in the foreground, until SIGTERM or Ctrl-C."
        case .up: "Run a whole Usher on this machine: a private Redis, several nodes on one port and a demo meeting."
        case .admin: "Make users, workspaces and API keys, and set who is a member of what."
        case .keys: "Print the Redis keys of a workspace or meeting, ready to paste into redis-cli."
        case .simulateBot:
            "Be a bot that speaks the wire of a real one and attends no meeting. Its configuration is the JSON object in "
                + "the variable VEXA_BOT_CONFIG."
        case .help: "Explain usher, a command or all settings."
        }
    }

    /// How it is called.
    var usage: String {
        switch self {
        case .serve, .up, .simulateBot: "usher \(rawValue) [SETTING]..."
        case .admin: "usher admin ACTION [OPTION]... [SETTING]..."
        case .keys: "usher keys ID [SETTING]..."
        case .help: "usher help [COMMAND | settings [--markdown]]"
        }
    }
}

/// The version that `usher --version` prints.
let usherVersion = "0.1.0"
