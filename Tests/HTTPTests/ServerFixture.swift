import EventLoop
import Foundation
import Log
import Synchronization

@testable import HTTP

/// A server on a loop of its own, for one test.
final class ServerFixture: Sendable {
    let loop: EventLoop
    let server: Server
    let port: Int
    let gate = Gate()
    let streams = Streams()
    let sockets = Sockets()
    let answers = AnswerBudget(bytes: 1_000)
    private let drained = Mutex<Int?>(nil)

    init(_ configuration: HTTPConfiguration, budget: ConnectionBudget? = nil) async throws {
        loop = try EventLoop(name: "http")
        try loop.start()
        let listener = try Listener.bind(host: "127.0.0.1", port: 0, reusesPort: false)
        port = listener.port
        server = Server(
            loop: loop, configuration: configuration, router: Self.router(gate, streams, sockets, answers, loop),
            logger: Logger(minimum: .error), budget: budget)
        try await server.start(listener)
    }

    private static func router(
        _ gate: Gate, _ streams: Streams, _ sockets: Sockets, _ answers: AnswerBudget, _ loop: EventLoop
    ) -> Router {
        var router = Router()
        router.add(.get, "/healthz", synchronous: { _ in .text("ok\n") })
        router.add(.get, "/gate") { request in
            await gate.pass()
            return .text("through")
        }
        router.add(.get, "/large/{bytes}") { request in
            .text(String(repeating: "x", count: Int(request.parameter("bytes"))!))
        }
        router.add(.get, "/items/{item}") { .text($0.parameter("item")) }
        router.add(.put, "/items/{item}") { .json($0.body, status: 201) }
        router.add(.post, "/echo") { request in
            Response(status: 200, headers: [("X-Received-Id", request.id)], body: request.body)
        }
        router.add(.post, "/times") { request in
            .text("\(request.received.nanoseconds) \(request.deadline.nanoseconds)")
        }
        router.add(.get, "/query", synchronous: { .text($0.query("a") ?? "none") })
        router.add(.delete, "/nothing") { _ in .empty() }
        router.add(
            .get, "/split",
            synchronous: { _ in
                Response(status: 200, headers: [("X-Odd", "a\r\nX-Injected: b\n\0")])
            })
        let count = Atomic(0)
        router.add(.get, "/count", synchronous: { _ in .text("\(count.add(1, ordering: .relaxed).newValue)") })
        streams.add(to: &router, gate)
        sockets.add(to: &router, loop)
        router.add(.get, "/held/{bytes}") { request in
            var response = Response.text(String(repeating: "x", count: Int(request.parameter("bytes"))!))
            response.hold = await answers.hold(100, for: "a", until: request.deadline, on: loop)
            return response
        }
        return router
    }

    func connect(receiveBufferBytes: Int32? = nil) throws -> Client {
        try Client(port: port, receiveBufferBytes: receiveBufferBytes)
    }

    var connectionCount: Int {
        let count = Mutex<Int?>(nil)
        let isDone = DispatchSemaphore(value: 0)
        loop.execute { [server] in
            count.withLock { $0 = server.connectionCount }
            isDone.signal()
        }
        isDone.wait()
        return count.withLock { $0! }
    }

    /// Holds the loop up for as long as `body` runs: what it does, the loop finds all at once.
    func holdingTheLoop(_ body: () throws -> Void) rethrows {
        let (isHolding, mayGoOn) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        loop.execute {
            isHolding.signal()
            mayGoOn.wait()
        }
        isHolding.wait()
        defer { mayGoOn.signal() }
        try body()
    }

    /// Begins to drain; `drainedCut` is the result once there is one.
    func drain(milliseconds: Int = patienceSeconds * 1_000) {
        let deadline = MonotonicTime.now().advanced(byMilliseconds: milliseconds)
        // On the loop: other tests may keep the threads that tasks have in common busy.
        Task(executorPreference: loop) { [self] in
            let cut = await server.drain(deadline: deadline)
            drained.withLock { $0 = cut }
        }
    }

    var drainedCut: Int? { drained.withLock { $0 } }

    func stop() {
        gate.open()
        loop.stop()
        loop.join()
    }
}

/// Runs `body` with a server, on a thread of its own: the client blocks, and must not block other tests' tasks.
func withServer(
    _ configure: (inout HTTPConfiguration) -> Void = { _ in }, budget: ConnectionBudget? = nil,
    _ body: @escaping @Sendable (ServerFixture) throws -> Void
) async throws {
    var configuration = HTTPConfiguration()
    configure(&configuration)
    let fixture = try await ServerFixture(configuration, budget: budget)
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread {
            let result = Result { try body(fixture) }
            fixture.stop()
            continuation.resume(with: result)
        }
    }
}
