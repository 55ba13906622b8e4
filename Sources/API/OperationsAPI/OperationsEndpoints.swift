import HTTP

/// Health, metrics, the description itself, and the console.
enum OperationsEndpoints {
    static let all = [health, readiness, metrics, document, page] + ConsoleEndpoints.all

    static let health = Endpoint(
        "/healthz", id: "health", surfaces: nil, summary: "Whether the node is alive",
        details: "Says nothing of Redis.",
        answers: [
            .json(
                200, "The node is alive.", .object(.required("status", .choice(["ok"]))), example: ["status": "ok"])
        ]
    ) { _ in .synchronous(HealthEndpoint.handle) }

    static let readiness = Endpoint(
        "/readyz", id: "readiness", surfaces: nil, summary: "Whether to send requests to the node",
        details: "Whether Redis answers every event loop of the node, and the node is not about to stop.",
        answers: [
            .json(
                200, "The node is ready.",
                .object(
                    .required("status", .choice(["ready"])),
                    .optional(
                        "redis_memory", .choice(["full"]),
                        "Redis takes nothing new; what runs goes on, and can be stopped.")),
                example: ["status": "ready"]),
            .json(
                503, "Send requests to another node.",
                .object(
                    .optional("status", .choice(["unready"])),
                    .optional("reason", .choice(ReadinessEndpoint.reasons), "For machines."),
                    .required("detail", .string, "For people."),
                    .optional("code", .integer, "Where the answer took too long; the form is that of other errors."),
                    .optional("parameters", .object(others: .string))),
                example: [
                    "status": "unready", "reason": "draining",
                    "detail": "The node is about to stop. Send requests to another one.",
                ]),
        ]
    ) { services in .asynchronous(services.readiness.handle) }

    static let metrics = Endpoint(
        "/metrics", id: "metrics", surfaces: [.metrics], summary: "What was measured",
        details: "In Prometheus' text format. It can have a port of its own.",
        answers: [Answer(status: 200, meaning: "The metrics.", content: .other(type: "text/plain"))]
    ) { services in services.metrics.map { .asynchronous($0.handle) } }

    static let document = Endpoint(
        documentPath, id: "openapi", surfaces: [.api], summary: "This API as OpenAPI 3.1",
        details: "An `If-None-Match` with its `ETag` is answered 304.",
        answers: [
            Answer(
                status: 200, meaning: "The document.",
                content: .json(
                    .object(.required("openapi", .string, "The version of OpenAPI.")), example: ["openapi": "3.1.0"]),
                headers: [FixedAnswer.etag]),
            FixedAnswer.unchanged,
        ]
    ) { _ in FixedAnswer.handler { DescriptionEndpoint.openAPI.handle($0) } }

    static let page = Endpoint(
        pagePath, id: "docs", surfaces: [.api], summary: "This API as a page to read",
        details: "One page that asks nothing of any other server.",
        answers: [
            Answer(
                status: 200, meaning: "The page.", content: .other(type: "text/html"), headers: [FixedAnswer.etag]),
            FixedAnswer.unchanged,
        ]
    ) { _ in FixedAnswer.handler { DescriptionEndpoint.page.handle($0) } }

    static let documentPath = "/openapi.json"
    static let pagePath = "/docs"
}
