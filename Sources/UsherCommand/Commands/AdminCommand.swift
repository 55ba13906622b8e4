import API
import Redis
import Usher

/// `usher admin`: what `/admin` does, from a shell, straight on the records.
enum AdminCommand {
    /// Prints what the API would answer.
    /// - Returns: 0 done, 1 failed or refused; then nothing was changed, or the message says what may have been.
    static func run(_ settings: Settings, _ request: AdminRequest) -> Int32 {
        do {
            let output = try Records.use(settings, redis: RedisURL(settings.redisURL)) { store, deadline in
                try await perform(
                    request, Administration(store: store, deadline: deadline),
                    maximumConcurrentBots: settings.givenMaxConcurrentBots)
            }
            if let output { Terminal.say(output) }
            return 0
        } catch let refusal as AdministrationRefusal {
            Terminal.complain(AdminAnswer.detail(of: refusal))
            return 1
        } catch {
            Terminal.complain("\(error)")
            return 1
        }
    }

    private static func perform(
        _ request: AdminRequest, _ administration: Administration, maximumConcurrentBots: Int?
    ) async throws -> String? {
        switch request {
        case .createUser(let email, let name, let imageURL):
            let new = NewUser(
                email: email, name: name, imageURL: imageURL, maximumConcurrentBots: maximumConcurrentBots)
            return try PrettyJSON.text(UserObject(try await administration.createUser(new).user))
        case .createWorkspace(let name, let owner):
            return try PrettyJSON.text(
                WorkspaceObject(
                    try await administration.createWorkspace(
                        name: name, owner: owner, maximumConcurrentBots: maximumConcurrentBots)))
        case .setMember(let workspace, let user, let role):
            try await administration.setMember(workspace: workspace, user: user, role: role)
            return try PrettyJSON.text(MemberObject(workspaceID: workspace, userID: user, role: role))
        case .removeMember(let workspace, let user):
            try await administration.removeMember(workspace: workspace, user: user)
            return nil
        case .createKey(let workspace, let user, let scopes, let label, let expiresAt):
            let (key, record) = try await administration.createKey(
                workspace: workspace, user: user, scopes: scopes, label: label,
                expiresAt: try AdminAnswer.expiry(expiresAt))
            return try PrettyJSON.text(KeyObject(record, key: key))
        case .listKeys(let workspace):
            return try PrettyJSON.text(KeyListObject(try await administration.keys(workspace: workspace)))
        case .rotateKey(let id, let graceSeconds):
            let (key, record) = try await administration.rotateKey(id: id, graceSeconds: graceSeconds)
            return try PrettyJSON.text(KeyObject(record, key: key))
        case .deleteKey(let id):
            try await administration.revokeKey(id: id)
            return nil
        }
    }
}
