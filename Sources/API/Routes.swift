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
    ///   - metrics: nil leaves `/metrics` out.
    public static func make(
        store: Store, adminKey: String?, logger: Logger, readiness: NodeReadiness = NodeReadiness(),
        trustedProxies: [AddressRange] = [],
        surfaces: Set<Surface> = Set(Surface.allCases), budget: AnswerBudget, metrics: MetricsEndpoint? = nil
    ) -> Router {
        var router = DescribedRouter()
        let gatekeeper = Gatekeeper(store: store, clientAddress: ClientAddress(trustedProxies: trustedProxies))
        let services = Services(
            store: store, authentication: Authentication(store: store, gatekeeper: gatekeeper), gatekeeper: gatekeeper,
            budget: budget, logger: logger, adminKey: adminKey,
            readiness: ReadinessEndpoint(store: store, readiness: readiness), metrics: metrics)
        router.add(OperationsOperations.health, synchronous: HealthEndpoint.handle)
        router.add(OperationsOperations.readiness, services.readiness.handle)
        if surfaces.contains(.metrics), let metrics { router.add(OperationsOperations.metrics, metrics.handle) }
        if surfaces.contains(.api) {
            let authentication = Authentication(store: store, gatekeeper: gatekeeper)
            router.add(OperationsOperations.document, synchronous: DescriptionEndpoint.openAPI.handle)
            router.add(OperationsOperations.page, synchronous: DescriptionEndpoint.page.handle)
            addReinviteAPI(to: &router, store: store, authentication, budget, logger: logger)
            addBotsAPI(to: &router, store: store, authentication, budget, logger: logger)
        }
        if surfaces.contains(.internal) { addInternalAPI(to: &router, store: store, gatekeeper, logger: logger) }
        if surfaces.contains(.admin) {
            for endpoint in AdminAPI.endpoints { router.add(endpoint, services) }
        }
        return router.router
    }

    private static func addReinviteAPI(
        to router: inout DescribedRouter, store: Store, _ authentication: Authentication, _ budget: AnswerBudget,
        logger: Logger
    ) {
        let reinvite = ReinviteEndpoint(store: store, authentication: authentication, logger: logger)
        let meetings = MeetingsEndpoints(
            store: store, authentication: authentication, budget: budget, logger: logger)
        router.add(ReinviteOperations.reinvite, reinvite.handle)
        router.add(ReinviteOperations.createMeeting, meetings.create)
        router.add(ReinviteOperations.listMeetings, meetings.list)
        router.add(ReinviteOperations.getMeeting, meetings.get)
    }

    private static func addBotsAPI(
        to router: inout DescribedRouter, store: Store, _ authentication: Authentication, _ budget: AnswerBudget,
        logger: Logger
    ) {
        let callers = BotsCaller(authentication: authentication)
        let bots = BotsEndpoints(store: store, callers: callers, logger: logger)
        let meetings = BotsMeetingsEndpoints(store: store, callers: callers, budget: budget, logger: logger)
        let transcripts = TranscriptEndpoint(store: store, meetings: meetings, budget: budget, logger: logger)
        let webhook = WebhookEndpoint(store: store, callers: callers, logger: logger)
        router.add(BotsOperations.createBot, bots.create)
        router.add(BotsMeetingsOperations.listBots, meetings.listBots)
        router.add(BotsOperations.listRunningBots, bots.status)
        router.add(BotsMeetingsOperations.getBot, meetings.get)
        router.add(BotsOperations.stopBot, bots.stop)
        router.add(BotsOperations.configureBot, bots.configure)
        router.add(BotsMeetingsOperations.listMeetings, meetings.list)
        router.add(BotsMeetingsOperations.getMeeting, meetings.get)
        router.add(BotsMeetingsOperations.updateMeeting, meetings.update)
        router.add(BotsMeetingsOperations.deleteMeeting, meetings.delete)
        router.add(BotsMeetingsOperations.getTranscript, transcripts.get)
        router.add(WebhookOperations.setWebhook, webhook.set)
        router.add(WebhookOperations.getWebhook, webhook.get)
    }

    private static func addInternalAPI(
        to router: inout DescribedRouter, store: Store, _ gatekeeper: Gatekeeper, logger: Logger
    ) {
        let reports = StatusReportEndpoint(store: store, gatekeeper: gatekeeper, logger: logger)
        let segments = SegmentsEndpoint(store: store, gatekeeper: gatekeeper, logger: logger)
        router.add(InternalOperations.reportStatus, reports.handle)
        router.add(InternalOperations.sendSegments, segments.handle)
    }
}
