import Usher

/// What `usher send` and `usher stop` are to do.
struct BotAction: Equatable, Sendable {
    enum Kind: Equatable, Sendable {
        case send, stop
    }

    let kind: Kind
    let workspace: String
    /// In whose name: a member of the workspace.
    let userID: Int
}
