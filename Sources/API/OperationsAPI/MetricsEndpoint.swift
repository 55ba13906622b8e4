import HTTP
import Metrics

/// `GET /metrics`: what was measured, in Prometheus' text format.
public struct MetricsEndpoint: Sendable {
    private let text: @Sendable () async -> [UInt8]

    /// - Parameter text: gathers it, on the loop of the request.
    public init(_ text: @escaping @Sendable () async -> [UInt8]) {
        self.text = text
    }

    func handle(_ request: Request) async -> Response {
        Response(status: 200, contentType: Samples.contentType, body: await text())
    }

    /// Health and metrics alone, for a process that serves nothing else.
    public var router: Router {
        var router = Router()
        router.add(.get, "/healthz", synchronous: HealthEndpoint.handle)
        router.add(.get, "/metrics", handle)
        return router
    }
}
