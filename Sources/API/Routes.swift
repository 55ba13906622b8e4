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
    ///   - readiness: the node's, for all of its loops.
    ///   - trustedProxies: whose `X-Forwarded-For` tells where a request comes from.
    ///   - surfaces: what the server's port is for; anything else is not found there.
    ///   - budget: of the node's large answers.
    ///   - receivers: where webhooks may be.
    ///   - recordings: whether bots record, and where that is.
    ///   - live: nil refuses every live feed.
    ///   - metrics: nil leaves `/metrics` out.
    ///   - servesConsole: whether the page for people is there.
    ///   - insight: what the node tells administrators of itself.
    public static func make(
        store: Store, adminKey: String?, logger: Logger, readiness: NodeReadiness = NodeReadiness(),
        trustedProxies: [AddressRange] = [],
        surfaces: Set<Surface> = Set(Surface.allCases), budget: AnswerBudget,
        receivers: ReceiverPolicy = ReceiverPolicy(), recordings: Recordings = Recordings(),
        live: LiveServices? = nil, metrics: MetricsEndpoint? = nil, servesConsole: Bool = true,
        insight: NodeInsight = NodeInsight()
    ) -> Router {
        let gatekeeper = Gatekeeper(store: store, clientAddress: ClientAddress(trustedProxies: trustedProxies))
        let services = Services(
            store: store, authentication: Authentication(store: store, gatekeeper: gatekeeper), gatekeeper: gatekeeper,
            budget: budget, receivers: receivers, recordings: recordings, live: live, logger: logger,
            adminKey: adminKey, readiness: ReadinessEndpoint(store: store, readiness: readiness), metrics: metrics,
            servesConsole: servesConsole, insight: insight)
        // That page asks the port that it came from.
        let surfaces = surfaces.contains(.console) ? surfaces.union([.api]) : surfaces
        var router = Router()
        for endpoint in endpoints where endpoint.surfaces.map({ !surfaces.isDisjoint(with: $0) }) ?? true {
            let operation = endpoint.operation
            switch endpoint.handler(services) {
            case .asynchronous(let handler): router.add(operation.method, operation.path, handler)
            case .synchronous(let handler): router.add(operation.method, operation.path, synchronous: handler)
            case nil: break
            }
        }
        return router
    }

    /// In the order in which people read of them.
    static let endpoints: [Endpoint] =
        ReinviteAPI.endpoints + BotsAPI.endpoints + InternalAPI.endpoints + AdminAPI.endpoints
        + OperationsEndpoints.all
}
