import EventLoop
import HTTP
import Log
import Usher

/// Everything that a node answers to, on one loop and port.
public enum Routes {
    /// Where bots report to; their reports carry logs, so that they may be longer than other bodies.
    public static let internalPath = "/internal/bots/"
    /// Where bots are asked for, in each API.
    public static let reinvite = "/api/v1/public/meeting/{workspace_id}/meetings/{meeting_id}/reinvite_bot"
    public static let bots = "/bots"

    /// - Parameters:
    ///   - store: of the loop whose server gets the router.
    ///   - adminKey: nil refuses every request to `/admin`.
    ///   - drainNotice: the node's, for all of its loops.
    ///   - trustedProxies: whose `X-Forwarded-For` tells where a request comes from.
    ///   - surfaces: what the server's port is for; anything else is not found there.
    ///   - metrics: nil leaves `/metrics` out.
    public static func make(
        store: Store, adminKey: String?, logger: Logger, drainNotice: DrainNotice = DrainNotice(),
        trustedProxies: [AddressRange] = [],
        surfaces: Set<Surface> = Set(Surface.allCases), metrics: MetricsEndpoint? = nil
    ) -> Router {
        var router = Router()
        let gatekeeper = Gatekeeper(store: store, clientAddress: ClientAddress(trustedProxies: trustedProxies))
        router.add(.get, "/healthz", synchronous: HealthEndpoint.handle)
        router.add(.get, "/readyz", ReadinessEndpoint(store: store, drainNotice: drainNotice).handle)
        if surfaces.contains(.metrics), let metrics { router.add(.get, "/metrics", metrics.handle) }
        if surfaces.contains(.api) {
            let authentication = Authentication(store: store, gatekeeper: gatekeeper)
            addReinviteAPI(to: &router, store: store, authentication, logger: logger)
            addBotsAPI(to: &router, store: store, authentication, logger: logger)
        }
        if surfaces.contains(.internal) { addInternalAPI(to: &router, store: store, gatekeeper, logger: logger) }
        if surfaces.contains(.admin) {
            addAdminAPI(
                to: &router,
                AdminEndpoints(
                    store: store, adminKey: adminKey, gatekeeper: gatekeeper, logger: logger))
        }
        return router
    }

    private static func addReinviteAPI(
        to router: inout Router, store: Store, _ authentication: Authentication, logger: Logger
    ) {
        let reinvite = ReinviteEndpoint(store: store, authentication: authentication, logger: logger)
        let meetings = MeetingsEndpoints(store: store, authentication: authentication, logger: logger)
        let base = "/api/v1/public/meeting/{workspace_id}/meetings"
        router.add(.post, Self.reinvite, reinvite.handle)
        router.add(.post, base, meetings.create)
        router.add(.get, base, meetings.list)
        router.add(.get, "\(base)/{meeting_id}", meetings.get)
    }

    private static func addBotsAPI(
        to router: inout Router, store: Store, _ authentication: Authentication, logger: Logger
    ) {
        let callers = BotsCaller(authentication: authentication)
        let bots = BotsEndpoints(store: store, callers: callers, logger: logger)
        let meetings = BotsMeetingsEndpoints(store: store, callers: callers, logger: logger)
        let transcripts = TranscriptEndpoint(store: store, meetings: meetings, logger: logger)
        let webhook = WebhookEndpoint(store: store, callers: callers, logger: logger)
        router.add(.post, Self.bots, bots.create)
        router.add(.get, "/bots", meetings.listBots)
        router.add(.get, "/bots/status", bots.status)
        router.add(.get, "/bots/id/{number}", meetings.get)
        router.add(.delete, "/bots/{platform}/{native_meeting_id}", bots.stop)
        router.add(.put, "/bots/{platform}/{native_meeting_id}/config", bots.configure)
        router.add(.get, "/meetings", meetings.list)
        router.add(.get, "/meetings/{number}", meetings.get)
        router.add(.patch, "/meetings/{platform}/{native_meeting_id}", meetings.update)
        router.add(.delete, "/meetings/{platform}/{native_meeting_id}", meetings.delete)
        router.add(.get, "/transcripts/{platform}/{native_meeting_id}", transcripts.get)
        router.add(.put, "/user/webhook", webhook.set)
    }

    private static func addInternalAPI(
        to router: inout Router, store: Store, _ gatekeeper: Gatekeeper, logger: Logger
    ) {
        let reports = StatusReportEndpoint(store: store, gatekeeper: gatekeeper, logger: logger)
        let segments = SegmentsEndpoint(store: store, gatekeeper: gatekeeper, logger: logger)
        router.add(.post, "\(internalPath){bot_id}/status", reports.handle)
        router.add(.post, "\(internalPath){bot_id}/segments", segments.handle)
    }

    private static func addAdminAPI(to router: inout Router, _ admin: AdminEndpoints) {
        router.add(.post, "/admin/users", admin.createUser)
        router.add(.get, "/admin/users", admin.listUsers)
        router.add(.patch, "/admin/users/{user_id}", admin.updateUser)
        router.add(.get, "/admin/users/email/{email}", admin.findUser)
        router.add(.post, "/admin/users/{user_id}/tokens", admin.createToken)
        router.add(.delete, "/admin/tokens/{token_id}", admin.revokeToken)
        router.add(.post, "/admin/workspaces", admin.createWorkspace)
        router.add(.put, "/admin/workspaces/{workspace_id}/members/{user_id}", admin.setMember)
        router.add(.delete, "/admin/workspaces/{workspace_id}/members/{user_id}", admin.removeMember)
        router.add(.post, "/admin/workspaces/{workspace_id}/keys", admin.createKey)
        router.add(.get, "/admin/workspaces/{workspace_id}/keys", admin.listKeys)
        router.add(.delete, "/admin/keys/{key_id}", admin.revokeKey)
        router.add(.post, "/admin/keys/{key_id}/rotate", admin.rotateKey)
    }
}
