import EventLoop
import HTTP
import Log
import Usher

/// All that there is of one endpoint: what is said of it, who may ask, what it takes, and what it does. A router serves it
/// and OpenAPI describes it from this one value.
struct Endpoint: Sendable {
    enum Handler: Sendable {
        case synchronous(@Sendable (Request) -> Response)
        case asynchronous(@Sendable (Request) async -> Response)
    }

    /// What is said of it.
    let operation: Operation
    /// What a port must be for, one of these, to serve it; nil: every port does.
    let surfaces: Set<Surface>?
    /// Makes what answers on one loop; nil where the loop has nothing to answer with.
    let handler: @Sendable (Services) -> Handler?

    /// An endpoint whose callers are found out, and whose inputs are read, before it does anything.
    /// - Parameters:
    ///   - inputs: read in this order, and handed to `handle` in it; described in it too.
    ///   - errors: of its own: those of its access, of the records and of the HTTP layer are added.
    ///   - handle: throws an `AnsweredError` for each of them.
    init<Caller, each Value>(
        _ method: Method, _ path: String, id: String, _ access: Access<Caller>, summary: String, details: String = "",
        takes inputs: repeat Input<each Value>, answers: [Answer], errors: [DescribedError] = [],
        handle: @escaping @Sendable (Call<Caller>, repeat each Value) async throws -> Response
    ) {
        var parameters: [Parameter] = []
        var body: RequestBody?
        for input in repeat each inputs {
            parameters += input.parameters
            body = body ?? input.body
        }
        operation = Operation(
            method: method, path: path, id: id, section: access.section, access: access.credentials, summary: summary,
            details: details, parameters: parameters, body: body, answers: answers, errors: errors)
        surfaces = access.section.surface.map { [$0] }
        let style = access.section.style
        handler = { services in
            .asynchronous { request in
                await answer(request, style, logger: services.logger) {
                    let caller = try await access.authenticate(request, services)
                    let call = Call(request: request, caller: caller, services: services)
                    let values: (repeat each Value)
                    do {
                        values = (repeat try (each inputs).read(request))
                    } catch {
                        try await access.beforeRefusing(call)
                        throw error
                    }
                    return try await handle(call, repeat each values)
                }
            }
        }
    }

    /// An endpoint that anybody may ask, and that takes nothing but what its path says.
    init(
        _ path: String, id: String, surfaces: Set<Surface>?, summary: String, details: String,
        parameters: [Parameter] = [],
        answers: [Answer], errors: [DescribedError] = [],
        handler: @escaping @Sendable (Services) -> Handler?
    ) {
        operation = Operation(
            method: .get, path: path, id: id, section: .operations, access: .open, summary: summary, details: details,
            parameters: parameters, answers: answers, errors: errors)
        self.surfaces = surfaces
        self.handler = handler
    }
}

/// What the endpoints of one loop work with.
struct Services: Sendable {
    let store: Store
    let authentication: Authentication
    let gatekeeper: Gatekeeper
    /// Of the node's large answers.
    let budget: AnswerBudget
    /// Where webhooks may be.
    let receivers: ReceiverPolicy
    let recordings: Recordings
    /// nil refuses every live feed.
    let live: LiveServices?
    let logger: Logger
    /// nil refuses every request to `/admin`.
    let adminKey: String?
    let readiness: ReadinessEndpoint
    let metrics: MetricsEndpoint?
    let servesConsole: Bool
    let insight: NodeInsight

    func session(for request: Request) -> Session { store.session(until: request.deadline) }
}

/// A request with who asks.
struct Call<Caller: Sendable>: Sendable {
    let request: Request
    let caller: Caller
    let services: Services

    /// What it asks of the records, until its deadline.
    var session: Session { services.session(for: request) }
    var loop: EventLoop { services.store.client.loop }
}
