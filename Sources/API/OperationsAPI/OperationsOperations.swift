import HTTP

/// What is said of health, and of the description itself.
enum OperationsOperations {
    static let all = [health, readiness, metrics, document, page]

    static let health = Operation(
        method: .get, path: "/healthz", id: "health", section: .operations, access: .open,
        summary: "Whether the node is alive", details: "Says nothing of Redis.",
        answers: [
            .json(
                200, "The node is alive.", .object(.required("status", .choice(["ok"]))), example: ["status": "ok"])
        ])

    static let readiness = Operation(
        method: .get, path: "/readyz", id: "readiness", section: .operations, access: .open,
        summary: "Whether to send requests to the node",
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
        ])

    static let metrics = Operation(
        method: .get, path: "/metrics", id: "metrics", section: .operations, access: .open,
        summary: "What was measured", details: "In Prometheus' text format. It can have a port of its own.",
        answers: [Answer(status: 200, meaning: "The metrics.", content: .other(type: "text/plain"))])

    static let document = Operation(
        method: .get, path: "/openapi.json", id: "openapi", section: .operations, access: .open,
        summary: "This API as OpenAPI 3.1", details: "An `If-None-Match` with its `ETag` is answered 304.",
        answers: [
            Answer(
                status: 200, meaning: "The document.",
                content: .json(
                    .object(.required("openapi", .string, "The version of OpenAPI.")), example: ["openapi": "3.1.0"]),
                headers: [etag]),
            unchanged,
        ])

    static let page = Operation(
        method: .get, path: "/docs", id: "docs", section: .operations, access: .open,
        summary: "This API as a page to read", details: "One page that asks nothing of any other server.",
        answers: [
            Answer(status: 200, meaning: "The page.", content: .other(type: "text/html"), headers: [etag]), unchanged,
        ])

    private static let etag = (name: "ETag", meaning: "Changes with the content.")
    private static let unchanged = Answer(
        status: 304, meaning: "What the caller has is the newest.", content: .none, headers: [etag])
}
