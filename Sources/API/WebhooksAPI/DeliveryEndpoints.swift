import HTTP
import Log
import Usher

/// What became of the events of a webhook, and sending them once more.
enum DeliveryEndpoints {
    static let all = [test, list, redeliver, redeliverAll, listOfFirst]

    private static let exampleEvent = "evt_5f0c9a5e2d0b4c869a3e7d6b8a1f4c20"
    private static let limit = Input<Int>.query("limit", 1...500, default: 50, "How many at most.")
    private static let wrongLimit = DescribedError.invalid(
        "The limit is wrong.", field: "limit", "must be between 1 and 500")
    private static let accepted = Answer.json(
        202, "It is sent within moments.", .object(.required("event_id", .string)),
        example: ["event_id": .string(exampleEvent)])

    // MARK: Errors

    private static let unknownEvent = DescribedError(
        APIError(404, title: "Event not found", "The webhook's history has no such event (any more)."),
        "The history has no such event.")
    private static let disabled = DescribedError(
        APIError(409, title: "Webhook disabled", "The webhook is disabled, or too much waits for it. Enable it first."),
        "It is disabled, or too much waits for it.")

    private static func isDue(_ event: String) -> Response {
        var object = JSONText()
        object.add("event_id", event)
        return .json(object.bytes, status: 202)
    }

    // MARK: The endpoints

    static let test = Endpoint(
        .post, WebhookEndpoints.path + "/test", id: "testWebhook", WebhookEndpoints.access, summary: "Send a test",
        details: "An event of the type `webhook.test`.", takes: WebhookEndpoints.id, answers: [accepted],
        errors: [WebhookEndpoints.unknownWebhook, disabled]
    ) { call, id in
        let webhook = try await WebhookEndpoints.named(id, call)
        // The script goes on in a Redis that is full, for what happens to meetings.
        guard !call.services.readiness.readiness.isRedisFull else { throw APIError.full(cause: .refused("OOM ")) }
        let event = Webhook.newEventID()
        let body = WebhookBody.test(id: event, at: WallClock.milliseconds, webhook: webhook.id)
        guard try await call.session.deliveries.fileTest(event, body, for: webhook) else {
            throw disabled.error
        }
        return isDue(event)
    }

    static let list = Endpoint(
        .get, WebhookEndpoints.path + "/deliveries", id: "listWebhookDeliveries", WebhookEndpoints.access,
        summary: "List a webhook's deliveries",
        details: """
            What waits, and the last 1,000 events that have ended, for seven days, the newest first: each with its \
            attempts, and the first bytes of the last answer.
            """,
        takes: WebhookEndpoints.id, limit,
        answers: [
            .json(
                200, "The deliveries.", .object(.required("deliveries", .list(of: .named(DeliveryObject.schema)))),
                example: ["deliveries": [DeliveryObject.example(event: exampleEvent)]])
        ],
        errors: [WebhookEndpoints.unknownWebhook, wrongLimit]
    ) { call, id, limit in
        try await history(of: try await WebhookEndpoints.named(id, call), limit, call) { $0.json }
    }

    static let redeliver = Endpoint(
        .post, WebhookEndpoints.path + "/deliveries/{event_id}/redeliver", id: "redeliverEvent",
        WebhookEndpoints.access, summary: "Send an event once more",
        details: "From the first attempt on, with the same id. One that waits for its next attempt goes on to.",
        takes: WebhookEndpoints.id, .path("event_id", "The event's id.", example: .string(exampleEvent)),
        answers: [accepted], errors: [WebhookEndpoints.unknownWebhook, unknownEvent, disabled]
    ) { (call, id, event: String) in
        let webhook = try await WebhookEndpoints.named(id, call)
        switch try await call.session.deliveries.redeliver(
            event, webhook: webhook.id, workspace: call.caller.workspaceID)
        {
        case .due, .waiting: return isDue(event)
        case .unknownEvent: throw unknownEvent.error
        case .notEnabled: throw disabled.error
        }
    }

    private static let since = Input<Int>.body(
        .required(
            "since",
            Form<String>.string.map { text in
                guard let milliseconds = Timestamp.milliseconds(rfc3339: text) else {
                    throw FormError(sinceProblem)
                }
                return milliseconds
            }.described(as: .time)),
        examples: ["Since": ["since": .string(Sample.time)]]
    ) { $0 }
    private static let sinceProblem = "must be a time with a zone, such as 2027-01-31T12:00:00Z"

    static let redeliverAll = Endpoint(
        .post, WebhookEndpoints.path + "/redeliver", id: "redeliverEvents", WebhookEndpoints.access,
        summary: "Send all events since a time once more",
        details: "All that have ended since then, delivered or not: for a receiver that has lost what it had.",
        takes: WebhookEndpoints.id, since,
        answers: [
            .json(
                202, "They are sent.", .object(.required("redelivered", .integer(0...))), example: ["redelivered": 17])
        ],
        errors: [
            WebhookEndpoints.unknownWebhook, disabled,
            .invalid("The body is wrong.", field: "since", sinceProblem),
        ]
    ) { call, id, since in
        let webhook = try await WebhookEndpoints.named(id, call)
        guard webhook.isEnabled else { throw disabled.error }
        var object = JSONText()
        object.add("redelivered", try await call.session.deliveries.redeliverAll(of: webhook, since: since))
        return .json(object.bytes, status: 202)
    }

    static let listOfFirst = Endpoint(
        .get, "/user/webhook/deliveries", id: "listUserWebhookDeliveries", WebhookEndpoints.access,
        summary: "List the deliveries of the first webhook", details: "The newest first.", takes: limit,
        answers: [
            .json(
                200, "The deliveries.",
                .object(.required("deliveries", .list(of: .named(DeliveryObject.vexaSchema)))),
                example: ["deliveries": [DeliveryObject.vexaExample(event: exampleEvent)]])
        ],
        errors: [wrongLimit]
    ) { call, limit in
        guard let webhook = try await call.session.webhooks.first(workspace: call.caller.workspaceID) else {
            return answer([])
        }
        let host = ReceiverURL.host(of: webhook.url) ?? ""
        return try await history(of: webhook, limit, call) { $0.vexaJSON(host: host) }
    }

    // MARK: The history

    /// The newest first. It is read, and made to text, some events at a time: between them others have their turn.
    private static func history(
        of webhook: Webhook, _ limit: Int, _ call: Call<Caller>, _ json: (DeliveryObject) -> JSONText
    ) async throws -> Response {
        let found = try await call.session.deliveries.newest(of: webhook, limit: limit)
        var shown: [(at: String, json: JSONText)] = []
        for start in stride(from: 0, to: found.count, by: Deliveries.perRead) {
            let page = found[start..<min(found.count, start + Deliveries.perRead)]
            for delivery in try await call.session.deliveries.contents(of: page, for: webhook) {
                guard let object = DeliveryObject(delivery) else { continue }
                shown.append((object.createdAt, json(object)))
            }
        }
        shown.sort { $0.at > $1.at }
        return answer(shown.prefix(limit).map(\.json))
    }

    private static func answer(_ deliveries: [JSONText]) -> Response {
        var object = JSONText()
        object.add("deliveries", deliveries)
        return .json(object.bytes)
    }
}
