import HTTP
import Usher

/// Who may ask the endpoints of a section, and how that is found out.
struct Access<Caller: Sendable>: Sendable {
    let section: Section
    let credentials: Credentials
    /// - Throws: `APIError` for those who may not.
    let authenticate: @Sendable (Request, Services) async throws -> Caller
    /// Called where the inputs are wrong, of an endpoint that finds out the caller's role in the same exchange as the rest:
    /// who may not ask, whatever they say, is told that first.
    var beforeRefusing: @Sendable (Call<Caller>) async throws -> Void = { _ in }
}

/// What a request must carry.
enum Credentials: Sendable {
    case open
    /// An API key with this scope, of a user with at least this role in the workspace.
    case apiKey(Scope, Role)
    case adminKey
    /// The secret of the bot that the path names.
    case botSecret
}
