import TestTurns
import Testing

@testable import EventLoop

@Suite(.takesTurns) struct TimerHeapTests {
    @Test func popsInOrderAndDropsTheCancelled() {
        var heap = TimerHeap()
        var generator = SystemRandomNumberGenerator()
        var fired: [UInt64] = []
        var expected: [UInt64] = []
        for _ in 0..<5_000 {
            let deadline = UInt64.random(in: 0..<1_000, using: &generator)
            let timer = heap.insert(at: MonotonicTime(nanoseconds: deadline)) { fired.append(deadline) }
            if Bool.random(using: &generator) { timer.cancel() } else { expected.append(deadline) }
        }
        #expect(heap.popDue(at: MonotonicTime(nanoseconds: 0))?.deadline.nanoseconds ?? 0 == 0)
        while let timer = heap.popDue(at: MonotonicTime(nanoseconds: 1_000)) { timer.fire() }
        let missing = expected.count - fired.count
        #expect(missing == 0 || missing == 1, "one timer may have been popped, unfired, by the first check")
        #expect(fired == fired.sorted())
    }

    @Test func timersOfOneMomentKeepTheirOrder() {
        var heap = TimerHeap()
        var fired: [Int] = []
        for number in 0..<100 { _ = heap.insert(at: MonotonicTime(nanoseconds: 5)) { fired.append(number) } }
        while let timer = heap.popDue(at: MonotonicTime(nanoseconds: 5)) { timer.fire() }
        #expect(fired == Array(0..<100))
    }

    @Test func aTimerThatWasCancelledIsNoDeadline() {
        var heap = TimerHeap()
        let first = heap.insert(at: MonotonicTime(nanoseconds: 1)) {}
        _ = heap.insert(at: MonotonicTime(nanoseconds: 2)) {}
        first.cancel()
        #expect(heap.nextDeadline() == MonotonicTime(nanoseconds: 2))
    }

    @Test func cancelledTimersDoNotPileUp() {
        var heap = TimerHeap()
        for number in 0..<100_000 {
            heap.insert(at: MonotonicTime(nanoseconds: UInt64(number))) {}.cancel()
        }
        #expect(heap.count <= 1_025)
    }
}
