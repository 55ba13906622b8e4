import Glibc
import Synchronization
import Testing

/// Bounds how many tests run at a time. Swift Testing starts all at once otherwise, each with loops, sockets and
/// processes of its own: together more descriptors than a shell grants by default (1024), and each slower than its
/// own time limits foresee.
public struct TakingTurns: SuiteTrait, TestTrait, TestScoping {
    /// Usher ignores broken pipes from its start on, and so do the tests of its parts.
    private static let turns = {
        _ = signal(SIGPIPE, SIG_IGN)
        return Turns(32)
    }()

    public var isRecursive: Bool { true }

    public func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        await Self.turns.take()
        defer { Self.turns.giveBack() }
        try await function()
    }
}

extension Trait where Self == TakingTurns {
    /// For suites whose tests hold descriptors or processes.
    public static var takesTurns: Self { TakingTurns() }
}

/// A semaphore for tasks, first come, first served.
private final class Turns: Sendable {
    private struct State {
        var free: Int
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>

    init(_ count: Int) {
        state = Mutex(State(free: count))
    }

    func take() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                guard state.free == 0 else {
                    state.free -= 1
                    return true
                }
                state.waiting.append(continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
    }

    func giveBack() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard !state.waiting.isEmpty else {
                state.free += 1
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }
}
