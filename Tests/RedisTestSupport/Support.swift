import EventLoop
import Foundation
import Log
import Redis

/// Waits until `condition` holds.
/// - Throws: `TestServerError` that says what did not happen in 60 s.
public func waitFor(_ what: String, _ condition: @escaping @Sendable () async throws -> Bool) async throws {
    let deadline = MonotonicTime.now().advanced(byMilliseconds: 60_000)
    while !(try await condition()) {
        guard MonotonicTime.now() < deadline else { throw TestServerError("this did not happen in 60 s: \(what)") }
        try await Task.sleep(for: .milliseconds(2))
    }
}

/// Runs `body` on an event loop of its own with a client that has been started, and shuts both down afterwards.
public func withClient<Outcome: Sendable>(
    _ configuration: ClientConfiguration, _ body: @escaping @Sendable (Client) async throws -> Outcome
) async throws -> Outcome {
    let loop = try EventLoop(name: "test")
    try loop.start()
    defer {
        loop.stop()
        loop.join()
    }
    return try await Task(executorPreference: loop) {
        let client = Client(loop: loop, configuration: configuration, logger: Logger(minimum: .error))
        client.start()
        defer { client.shutDown() }
        return try await body(client)
    }.value
}

extension Client {
    /// A point far enough away for a loaded machine.
    public static var soon: MonotonicTime { .now().advanced(byMilliseconds: 30_000) }

    /// Sends one command with a generous deadline.
    public func send(_ words: String...) async throws -> Value {
        try await send(Command(words: words), deadline: Self.soon)
    }

    /// Waits on the client's loop until it can send commands, again if it could before.
    public func waitUntilConnected() async throws {
        try await waitUntil("the client is connected") { self.isConnected }
    }

    /// Waits on the client's loop until `condition` holds.
    public func waitUntil(_ what: String, _ condition: () -> Bool) async throws {
        let deadline = MonotonicTime.now().advanced(byMilliseconds: 60_000)
        while !condition() {
            guard MonotonicTime.now() < deadline else { throw TestServerError("this did not happen in 60 s: \(what)") }
            await loop.wait(milliseconds: 1)
        }
    }
}

extension TraceContext {
    /// What dispatches of tests belong to.
    public static let ofTests = TraceContext(newTrace: 0xa, 0xb, operation: 0xc)
}
