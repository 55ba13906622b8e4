import EventLoop
import RedisTestSupport
import Synchronization

@testable import Runner

/// A supervisor and what it reported, on a loop of its own.
final class Supervised: Sendable {
    private let loop: EventLoop
    /// `nonisolated(unsafe)`: touched on the loop's thread alone.
    nonisolated(unsafe) private var handle: SupervisorHandle?
    private let log = Mutex<[SupervisorHandle.Event]>([])

    init(
        _ program: SupervisedProgram, masking secrets: [String] = [], in group: ControlGroup? = nil,
        milliseconds: Int = 3_600_000, by supervisor: [String] = Binary.supervisor
    ) async throws {
        loop = try EventLoop(name: "test")
        try loop.start()
        try await Task(executorPreference: loop) { [self] in
            handle = try SupervisorHandle(
                supervisor, running: program, masking: secrets, in: group,
                deadline: .now().advanced(byMilliseconds: milliseconds), loop: loop
            ) { event in self.log.withLock { $0.append(event) } }
        }.value
    }

    var events: [SupervisorHandle.Event] { get async { log.withLock { $0 } } }

    var supervisor: Int32 {
        get async { await Task(executorPreference: loop) { [self] in handle!.id }.value }
    }

    func send(_ command: SupervisorCommand) async {
        await Task(executorPreference: loop) { [self] in handle!.send(command) }.value
    }

    func wait(for what: String, _ condition: @escaping @Sendable ([SupervisorHandle.Event]) -> Bool) async throws {
        try await waitFor(what) { [self] in log.withLock { condition($0) } }
    }

    /// - Returns: the program's process.
    @discardableResult
    func started() async throws -> Int32 {
        try await wait(for: "the program is started") { !$0.isEmpty }
        guard case .report(.started(let process)) = await events[0] else { throw TestServerError("it did not start") }
        return process
    }

    /// Waits for the last event, and ends the loop.
    func last() async throws -> SupervisorHandle.Event {
        try await wait(for: "the last report") { events in
            switch events.last {
            case .report(.ended), .report(.notStarted), .vanished: true
            default: false
            }
        }
        return await events.last!
    }

    deinit {
        loop.stop()
    }
}
