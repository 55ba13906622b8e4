/// What `usher` can be told to do.
enum Command: String, CaseIterable, Sendable {
    case serve, runner, up, admin, users, workspaces, meetings, bots, send, stop, keys, webhooks, calendars, export
    case importing = "import"
    case status, watch, doctor, probe, openapi
    case attend, lab
    case simulateBot = "simulate-bot"
    /// What a runner starts for each bot: nothing for people to call.
    case supervise
    case completion, help

    /// Those that run nodes.
    static let nodes: Set<Command> = [.serve, .up]
    /// Those that read or write records.
    static let records: Set<Command> = [
        .serve, .runner, .up, .admin, .users, .workspaces, .meetings, .bots, .send, .stop, .keys, .webhooks, .calendars,
        .export, .importing, .status, .watch, .doctor,
    ]
    /// Those that talk to a Redis, whoever names it to them.
    static let redisClients = records.union([.attend, .simulateBot])

    /// Those that send and stop bots as requests do.
    static let botRequests = nodes.union([.send, .stop])
    /// Those that read transcripts, also from the archive.
    static let archiveReaders = nodes.union([.export])
    /// Those that print pages of records.
    static let lists: Set<Command> = [.users, .workspaces, .meetings, .bots]

    /// One sentence for the overview.
    var meaning: String {
        switch self {
        case .serve: "Run one node in the foreground, until SIGTERM or Ctrl-C."
        case .runner: "Run bots: one command for each dispatch, until SIGTERM or Ctrl-C."
        case .up:
            "Run a whole Usher on this machine: a private Redis, several nodes on one port, a runner of simulated bots "
                + "and a demo meeting."
        case .admin: "Make users, workspaces and API keys, and set who is a member of what."
        case .users: "List users with their personal workspaces, the oldest first."
        case .workspaces:
            "List the workspaces that are listed, the one that was listed first first, with what they have of what their "
                + "limits count; or those whose name holds a text, or whose id begins with it."
        case .meetings: "List the meetings of a workspace, the newest first."
        case .bots: "List the bots of a workspace that run or are on their way, the oldest first."
        case .send:
            "Send a bot to a meeting in the name of a member of the workspace, as `POST /bots` does. Where others can see the "
                + "command lines of this machine, a passcode is better read from a file, or with the link from standard input: "
                + "`-` stands for that."
        case .stop:
            "Stop the bot that is in a room or on its way to it, for good, in the name of a member of the workspace; with none "
                + "there, what is planned next is cancelled."
        case .keys:
            "Print the Redis keys of a workspace or of a meeting, ready to paste into redis-cli. A meeting is named by its id or "
                + "number, by its bot's id, or by its link or room: of one workspace, or of all that are listed."
        case .webhooks: "Show the webhooks of a workspace, and what became of the newest events of each."
        case .calendars:
            "Show the calendars of a workspace, what came of their last readings, and what is planned of them next; or what "
                + "would be planned of an iCalendar file."
        case .export:
            "Write all that a workspace has into one file, for `usher import` to make it again elsewhere. The file has secrets "
                + "in it: those of webhooks and calendars, and passcodes, but no API key."
        case .importing:
            "Make the workspace of a file that `usher export` wrote, with the ids that it had. One that is there already is "
                + "left as it is, and the import refused; one that was interrupted can be run again."
        case .status:
            "Show at a glance what runs: nodes, runners and their places, rooms by what their bots are at, the queue, "
                + "leases. Exit code 1 if Redis does not answer."
        case .watch:
            "Print a line for each change of a meeting, from now until Ctrl-C, or since a time or so long ago, such as 90s, 10m, "
                + "2h or 1d: as JSON, or for people on a terminal. It goes on by itself when Redis was away."
        case .doctor:
            "Look at how a Redis is set up, and say of each thing whether it is right and, if not, what to do. Exit code 1 "
                + "if Usher cannot keep its promises there."
        case .probe:
            "Ask the node on this machine by GET /healthz, or another PATH, whether it is well. Exit code 0 if it answers "
                + "200, else 1: a health check for containers."
        case .openapi: "Print the API's description, OpenAPI 3.1 as JSON: what a node serves at /openapi.json."
        case .attend:
            "Attend one meeting in a browser, in the foreground: a bot for `--launch`, told what to do by VEXA_BOT_CONFIG."
        case .lab:
            "Serve meetings of our own to browsers on this machine, until Ctrl-C, for trying bots that attend. For development "
                + "alone: whoever reaches it may do anything in it, so that it listens on 127.0.0.1."
        case .simulateBot:
            "Be a bot that speaks the wire of a real one and attends no meeting. Its configuration is the JSON object in "
                + "the variable VEXA_BOT_CONFIG."
        case .supervise:
            "Stand between a runner and one bot: runs the program that standard input tells of, and ends it, with all "
                + "that it started, when its deadline passes or standard input closes. Only runners call it."
        case .completion:
            "Print what completes command lines of usher in a shell: source <(usher completion bash), the same with zsh, or "
                + "usher completion fish | source."
        case .help: "Explain usher, a command, all settings or what /metrics shows."
        }
    }

    /// Whether it is left out of the overview.
    var isInternal: Bool { self == .supervise }

    /// How it is called.
    var usage: String {
        switch self {
        case .serve, .runner, .up, .doctor, .attend, .lab, .simulateBot: "usher \(rawValue) [SETTING]..."
        case .supervise: "usher supervise"
        case .openapi: "usher openapi"
        case .admin: "usher admin ACTION [OPTION]... [SETTING]..."
        case .users, .workspaces, .status, .watch: "usher \(rawValue) \(shownOptions) [SETTING]..."
        case .meetings, .bots: "usher \(rawValue) WORKSPACE_ID \(shownOptions) [SETTING]..."
        case .send: "usher send WORKSPACE_ID LINK|ROOM|- --user-id N \(CommandOption.passcodeFile.shown) [SETTING]..."
        case .stop: "usher stop WORKSPACE_ID LINK|ROOM --user-id N [SETTING]..."
        case .keys: "usher keys ID|NUMBER|LINK|ROOM \(shownOptions) [SETTING]..."
        case .webhooks: "usher webhooks WORKSPACE_ID [SETTING]..."
        case .calendars: "usher calendars WORKSPACE_ID [SETTING]... | check FILE [--now TIME] [--json]"
        case .export: "usher export WORKSPACE_ID --out FILE|- \(CommandOption.running.shown) [SETTING]..."
        case .importing: "usher import FILE|- [SETTING]..."
        case .probe: "usher probe [PATH] [SETTING]..."
        case .completion: "usher completion bash|zsh|fish"
        case .help: "usher help [COMMAND | settings [--markdown] | metrics]"
        }
    }

    private var shownOptions: String { options.map(\.shown).joined(separator: " ") }
}
