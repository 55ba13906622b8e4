import Usher

/// What a command line asks for.
enum Invocation: Equatable, Sendable {
    case serve(Settings)
    /// Its `launch` is given.
    case runner(Settings)
    case supervise
    case up(Settings)
    case admin(Settings, AdminRequest)
    /// - Parameter limit: how many at most.
    case list(Settings, ListRequest, limit: Int, asJSON: Bool)
    case act(Settings, BotAction, MeetingLink)
    case keys(Settings, KeysRequest)
    case webhooks(Settings, workspace: String)
    case calendars(Settings, workspace: String)
    /// - Parameter now: in milliseconds since 1970; nil: the time it is.
    case checkCalendar(file: String, now: Int?, asJSON: Bool)
    /// - Parameter file: where to; `-` is standard output.
    case export(Settings, workspace: String, file: String, skipsRunning: Bool)
    /// - Parameter file: where from; `-` is standard input.
    case importing(Settings, file: String)
    case status(Settings, asJSON: Bool)
    case watch(Settings, EventWatch.Filter)
    case doctor(Settings)
    /// - Parameter path: to be asked for, such as `/healthz`.
    case probe(Settings, path: String)
    case openapi
    case completion(Completion)
    case attend(Settings)
    case lab(Settings)
    case simulateBot(Settings)
    case help(HelpTopic)
    case version
}

enum HelpTopic: Equatable, Sendable {
    case overview
    case command(Command)
    case settings(markdown: Bool)
    case metrics
}
