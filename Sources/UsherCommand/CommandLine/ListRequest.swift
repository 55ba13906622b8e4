import Usher

/// What `usher users`, `usher workspaces`, `usher meetings` and `usher bots` are to list.
enum ListRequest: Equatable, Sendable {
    case users(skip: Int)
    /// - Parameter search: empty for all.
    case workspaces(search: String, skip: Int)
    /// - Parameter cursor: where a page before ended; nil for the newest.
    case meetings(workspace: String, cursor: MeetingCursor?)
    case bots(workspace: String, cursor: BotCursor?)

    var workspace: String? {
        switch self {
        case .users, .workspaces: nil
        case .meetings(let workspace, _), .bots(let workspace, _): workspace
        }
    }

    /// How many are listed at once.
    static let limits = 1...1_000
    static let byDefault = 100
}
