import HTTP
import Usher

/// Who asks the Bots API, and which room a path means.
struct BotsCaller: Sendable {
    /// No id of a platform is longer.
    private static let maximumIDBytes = 256

    let authentication: Authentication

    /// The caller behind the request's API key, whose role is still to be looked at.
    /// - Throws: `APIError` 401, or 403 for a key without the scope.
    func caller(of request: Request) async throws -> Caller {
        try await authentication.caller(of: request, scope: .bots)
    }

    /// The caller behind the request's API key, whose own workspace the request is about.
    /// - Parameter minimum: the least role that may do this.
    /// - Throws: `APIError` 401 or 403.
    func authenticate(_ request: Request, atLeast minimum: Role) async throws -> Caller {
        let caller = try await caller(of: request)
        try await authentication.require(minimum, of: caller, deadline: request.deadline)
        return caller
    }

    /// The room of `{platform}/{native_meeting_id}`, in whichever spelling. No room has an id that is none.
    /// - Throws: `APIError` 422 for an unknown platform.
    static func room(of request: Request) throws -> Room {
        let nativeID = request.parameter("native_meeting_id")
        let platform = try Platform(named: request.parameter("platform"))
        guard nativeID.utf8.count <= maximumIDBytes else {
            throw APIError.invalid("native_meeting_id", "is longer than \(maximumIDBytes) bytes")
        }
        return Room(platform: platform, anySpelling: nativeID)
    }
}
