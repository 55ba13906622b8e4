import HTTP

/// `GET /healthz`: the node is alive. Says nothing of Redis, so that a balancer does not restart nodes for its sake.
enum HealthEndpoint {
    private static let body = Array("{\"status\":\"ok\"}".utf8)

    static func handle(_ request: Request) -> Response {
        .json(body)
    }
}
