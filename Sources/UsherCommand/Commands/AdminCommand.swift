import API
import Redis
import Usher

/// `usher admin`: what `/admin` does, from a shell, straight on the records.
enum AdminCommand {
    /// Prints what the API would answer.
    /// - Returns: 0 done, 1 failed or refused; then nothing was changed, or the message says what may have been.
    static func run(_ settings: Settings, _ request: AdminRequest) -> Int32 {
        do {
            try Records.use(settings, redis: RedisURL(settings.redisURL)) { session in
                try await perform(
                    request, Administration(session),
                    maximumConcurrentBots: settings.given(\.maxConcurrentBots))
            }
            return 0
        } catch let refusal as AdministrationRefusal {
            Terminal.complain(AdminAnswer.detail(of: refusal))
            return 1
        } catch {
            Terminal.complain("\(error)")
            return 1
        }
    }

    /// A secret that nobody has seen.
    private struct NotShown: Error, CustomStringConvertible {
        let description: String
    }

    private static func perform(
        _ request: AdminRequest, _ administration: Administration, maximumConcurrentBots: Int?
    ) async throws {
        switch request {
        case .createUser(let email, let name, let imageURL):
            let new = NewUser(
                email: email, name: name, imageURL: imageURL, maximumConcurrentBots: maximumConcurrentBots)
            Terminal.say(try PrettyJSON.text(UserObject(try await administration.createUser(new).user)))
        case .createWorkspace(let name, let owner):
            Terminal.say(
                try PrettyJSON.text(
                    WorkspaceObject(
                        try await administration.createWorkspace(
                            name: name, owner: owner, maximumConcurrentBots: maximumConcurrentBots))))
        case .removeUser(let id): try await administration.removeUser(id)
        case .removeWorkspace(let id): try await administration.removeWorkspace(id.lowercased())
        case .setMember(let workspace, let user, let role):
            try await administration.setMember(workspace: workspace, user: user, role: role)
            Terminal.say(try PrettyJSON.text(MemberObject(workspaceID: workspace, userID: user, role: role)))
        case .removeMember(let workspace, let user):
            try await administration.removeMember(workspace: workspace, user: user)
        case .createKey(let workspace, let user, let scopes, let label, let expiresAt):
            let (key, record) = try await administration.createKey(
                workspace: workspace, user: user, scopes: scopes, label: label,
                expiresAt: try AdminAnswer.expiry(expiresAt))
            if !show(key, record) { throw await revoke(record, administration) }
        case .listKeys(let workspace):
            Terminal.say(
                try PrettyJSON.text(KeyListObject(try await administration.keys(workspace: workspace))))
        case .rotateKey(let id, let graceSeconds):
            let rotated = try await administration.rotateKey(id: id, graceSeconds: graceSeconds, ifKept: show)
            if rotated == nil {
                throw NotShown(
                    description:
                        "The new key could not be shown (\(whyNotSaid)), so it was revoked again; the old one is "
                        + "as it was.")
            }
        case .deleteKey(let id):
            try await administration.revokeKey(id: id)
        }
    }

    // MARK: Secrets

    /// - Returns: false if it could not be written.
    private static func show(_ key: String, _ record: APIKey) -> Bool {
        (try? PrettyJSON.text(KeyObject(record, key: key))).map { Terminal.say($0) } ?? false
    }

    /// Revokes a key that could not be shown: it would be valid, and known to nobody.
    /// - Returns: what is to be said about it.
    private static func revoke(_ record: APIKey, _ administration: Administration) async -> NotShown {
        let beginning = "The new key could not be shown (\(whyNotSaid))"
        do throws(AdministrationRefusal) {
            try await administration.revokeKey(id: record.id)
            return NotShown(description: beginning + ", so it was revoked again.")
        } catch {
            return NotShown(
                description: beginning + ", nor revoked (\(AdminAnswer.detail(of: error))): revoke it by `usher admin "
                    + "delete-key --key-id \(record.id)`.")
        }
    }

    private static var whyNotSaid: String {
        Terminal.takeFailure().map { "standard output: \($0.reason)" } ?? "it has no form as JSON"
    }
}
