import Usher

/// What `usher users`, `usher meetings` and `usher bots` are to list.
enum ListRequest: Equatable, Sendable {
    case users(skip: Int)
    /// - Parameter cursor: where a page before ended; nil for the newest.
    case meetings(workspace: String, cursor: MeetingCursor?)
    case bots(workspace: String)

    var workspace: String? {
        switch self {
        case .users: nil
        case .meetings(let workspace, _), .bots(let workspace): workspace
        }
    }

    /// How many are listed at once.
    static let limits = 1...1_000
    static let byDefault = 100
}
