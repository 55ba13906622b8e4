import Redis
import Usher

/// What `usher up` makes so that there is something to try.
struct Demo: Equatable, Sendable {
    private static let email = "demo@usher.example"
    private static let keyLabel = "usher up"

    var workspaceID: String
    /// The owner's, with every scope.
    var apiKey: String
    var apiKeyID: String
    var meetingID: String
    var meetingURL: String

    /// Makes it, once the nodes answer. Stop signals are not looked at meanwhile, so this is bounded in time.
    ///
    /// The user and the workspace are those of the last time, if there was one. The key is new, since the last one is
    /// stored nowhere, and the meeting is new, in a room that no dispatch is in flight to.
    ///
    /// - Parameter settings: those of the nodes, with the Redis URL that is in use.
    /// - Throws: `UpFailure`; everything is then stopped.
    static func make(_ settings: Settings) throws(UpFailure) -> Demo {
        do {
            return try Records.use(settings, redis: RedisURL(settings.redisURL)) { session in
                try await make(session)
            }
        } catch {
            throw UpFailure("the demo could not be made: \(error)")
        }
    }

    private static func make(_ session: Session) async throws -> Demo {
        let administration = Administration(session)
        let user = try await administration.createUser(NewUser(email: email, name: "Demo")).user
        for key in try await administration.keys(workspace: user.workspaceID) where key.label == keyLabel {
            try await administration.revokeKey(id: key.id)
        }
        let (key, record) = try await administration.createKey(
            workspace: user.workspaceID, user: user.id, scopes: Scope.allCases.map(\.rawValue), label: keyLabel,
            expiresAt: nil)
        let link = try MeetingLink(platform: .googleMeet, nativeID: meetCode())
        guard let caller = try await session.callers.caller(apiKey: key),
            let meeting = try await session.meetings.create(NewMeeting(link: link, title: "Demo"), by: caller).made
        else { throw UpFailure("its workspace or its key was removed meanwhile") }
        return Demo(
            workspaceID: user.workspaceID, apiKey: key, apiKeyID: record.id, meetingID: meeting.id,
            meetingURL: meeting.url)
    }

    /// Revokes its key, which could not be shown.
    func revokeKey(_ settings: Settings) throws {
        let id = apiKeyID
        try Records.use(settings, redis: RedisURL(settings.redisURL)) { session in
            try await Administration(session).revokeKey(id: id)
        }
    }

    /// A code in the form of Google Meet's, at random: nobody meets there.
    private static func meetCode() -> String {
        func letters(_ count: Int) -> String {
            String((0..<count).map { _ in "abcdefghijklmnopqrstuvwxyz".randomElement()! })
        }
        return "\(letters(3))-\(letters(4))-\(letters(3))"
    }
}
