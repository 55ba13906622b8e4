import TestTurns
import Testing

@testable import EventLoop

@Suite(.takesTurns) struct WaitersTests {
    /// Timers run in the order of their times, so whatever the machine does, the wait is over before it is told.
    @Test func aWaitEndsByItsTime() async throws {
        try await withLoop { loop in
            let waiters = Waiters<Int>(loop: loop)
            loop.schedule(afterMilliseconds: 1_000) { waiters.tell(1) }
            #expect(await waiters.wait(milliseconds: 10) == nil)
            #expect(waiters.count == 0)
        }
    }

    @Test func whatIsToldEndsAllWaits() async throws {
        try await withLoop { loop in
            let waiters = Waiters<Int>(loop: loop)
            let waits = [nil, 60_000].map { milliseconds in
                Task(executorPreference: loop) { await waiters.wait(milliseconds: milliseconds) }
            }
            loop.schedule(afterMilliseconds: 1) { waiters.tell(7) }
            for wait in waits { #expect(await wait.value == 7) }
        }
    }
}
