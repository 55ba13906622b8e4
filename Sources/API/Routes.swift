import HTTP
import Log
import Usher

/// Everything that a node answers to, on one loop.
public enum Routes {
    /// Where bots report to; their reports carry logs, so that they may be longer than other bodies.
    public static let internalPath = "/internal/bots/"

    /// - Parameters:
    ///   - store: of the loop whose server gets the router.
    ///   - adminKey: nil refuses every request to `/admin`.
    public static func make(store: Store, adminKey: String?, logger: Logger) -> Router {
        var router = Router()
        router.add(.get, "/healthz", synchronous: HealthEndpoint.handle)
        addReinviteAPI(to: &router, store: store, logger: logger)
        addAdminAPI(to: &router, store: store, adminKey: adminKey, logger: logger)
        return router
    }

    private static func addReinviteAPI(to router: inout Router, store: Store, logger: Logger) {
        let authentication = Authentication(store: store)
        let reinvite = ReinviteEndpoint(store: store, authentication: authentication, logger: logger)
        let meetings = MeetingsEndpoints(store: store, authentication: authentication, logger: logger)
        let base = "/api/v1/public/meeting/{workspace_id}/meetings"
        router.add(.post, "\(base)/{meeting_id}/reinvite_bot", reinvite.handle)
        router.add(.post, base, meetings.create)
        router.add(.get, base, meetings.list)
        router.add(.get, "\(base)/{meeting_id}", meetings.get)
    }

    private static func addAdminAPI(to router: inout Router, store: Store, adminKey: String?, logger: Logger) {
        let admin = AdminEndpoints(store: store, adminKey: adminKey, logger: logger)
        router.add(.post, "/admin/users", admin.createUser)
        router.add(.post, "/admin/workspaces", admin.createWorkspace)
        router.add(.put, "/admin/workspaces/{workspace_id}/members/{user_id}", admin.setMember)
        router.add(.delete, "/admin/workspaces/{workspace_id}/members/{user_id}", admin.removeMember)
        router.add(.post, "/admin/workspaces/{workspace_id}/keys", admin.createKey)
        router.add(.get, "/admin/workspaces/{workspace_id}/keys", admin.listKeys)
        router.add(.delete, "/admin/keys/{key_id}", admin.revokeKey)
    }
}
