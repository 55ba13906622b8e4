import BotWire
import EventLoop
import HTTP
import Log
import Synchronization

/// Takes in reports, and answers each by its status: 200 if nothing else is asked for.
final class ReportServer: Sendable {
    let answers = Mutex<[String: Int]>([:])
    let received = Mutex<[ReceivedReport]>([])
    let url: HTTPURL
    /// Its own, and that of the reporters.
    let loop: EventLoop

    init() async throws {
        loop = try EventLoop(name: "reports")
        try loop.start()
        let listener = try Listener.bind(host: "127.0.0.1", port: 0, reusesPort: false)
        url = try HTTPURL("http://127.0.0.1:\(listener.port)/status")
        var router = Router()
        router.add(
            .post, "/status",
            synchronous: { [unowned self] request in
                let report = ReceivedReport(
                    secret: request.header("x-internal-secret"), body: String(decoding: request.body, as: UTF8.self))
                received.withLock { $0.append(report) }
                return Response(status: Status(answers.withLock { $0[report.status ?? ""] ?? 200 }))
            })
        try await Server(loop: loop, router: router, logger: Logger(minimum: .error)).start(listener)
    }

    deinit { loop.stop() }

    var statuses: [String?] { received.withLock { $0.map(\.status) } }

    /// Does something with a reporter, on the loop that it belongs to.
    func use<Outcome: Sendable>(_ body: @escaping @Sendable (Reporter) async throws -> Outcome) async throws -> Outcome
    {
        let (loop, url) = (loop, url)
        return try await Task(executorPreference: loop) {
            try await body(Reporter(loop: loop, url: url, secret: nil, logger: Logger(minimum: .error)))
        }.value
    }
}
