import CLinux
import Glibc
import Synchronization
import TestTurns
import Testing

@testable import EventLoop

/// Runs `body` on a loop of its own, and ends the loop afterwards.
func withLoop<Result: Sendable>(_ body: @escaping @Sendable (EventLoop) async throws -> Result) async throws -> Result {
    let loop = try EventLoop(name: "test")
    try loop.start()
    defer {
        loop.stop()
        loop.join()
    }
    return try await Task(executorPreference: loop) { try await body(loop) }.value
}

@Suite(.takesTurns) struct EventLoopTests {
    @Test func tasksThatPreferTheLoopRunOnItsThreadBeforeAndAfterSuspending() async throws {
        try await withLoop { loop in
            #expect(loop.isCurrent)
            await loop.wait(milliseconds: 1)
            #expect(loop.isCurrent)
            await Task.yield()
            #expect(loop.isCurrent)
        }
    }

    /// Otherwise each call, and each return, would wait in line behind all other tasks.
    @Test func callsOfAsyncFunctionsGoOnAtOnce() async throws {
        final class Order: Sendable {
            let steps = Mutex<[String]>([])
            func note(_ step: String) async { steps.withLock { $0.append(step) } }
        }
        try await withLoop { loop in
            let order = Order()
            let tasks = ["a", "b"].map { name in
                Task(executorPreference: loop) {
                    for step in 1...3 { await order.note("\(name)\(step)") }
                }
            }
            for task in tasks { await task.value }
            #expect(order.steps.withLock { $0 } == ["a1", "a2", "a3", "b1", "b2", "b3"])
        }
    }

    actor OnLoop {
        nonisolated let loop: EventLoop
        nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
        private(set) var count = 0

        init(loop: EventLoop) { self.loop = loop }

        func increment() {
            loop.preconditionCurrent()
            count += 1
        }
    }

    @Test func actorsOfTheLoopRunOnItsThread() async throws {
        try await withLoop { loop in
            let counter = OnLoop(loop: loop)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<1_000 { group.addTask { await counter.increment() } }
                try await group.waitForAll()
            }
            #expect(await counter.count == 1_000)
        }
    }

    @Test func anActorOfTheLoopMayBeAssumedIsolatedInACallback() async throws {
        try await withLoop { loop in
            let counter = OnLoop(loop: loop)
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
                loop.schedule(afterMilliseconds: 0) {
                    counter.assumeIsolated { $0.increment() }
                    continuation.resume()
                }
            }
            #expect(await counter.count == 1)
        }
    }

    @Test func callbacksFromManyThreadsAllRun() async throws {
        final class Counter: Sendable { let value = Atomic<Int>(0) }
        let count = Counter()
        let loop = try EventLoop(name: "test")
        try loop.start()
        let reached = AsyncStream<Void>.makeStream()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<1_000 {
                        loop.execute {
                            if count.value.add(1, ordering: .relaxed).newValue == 8_000 {
                                reached.continuation.finish()
                            }
                        }
                    }
                }
            }
        }
        for await _ in reached.stream {}
        #expect(count.value.load(ordering: .relaxed) == 8_000)
        loop.stop()
        loop.join()
    }

    @Test func timersRunInOrderOfTheirDeadlinesAndNotOnceCancelled() async throws {
        let order = try await withLoop { loop in
            await withUnsafeContinuation { (continuation: UnsafeContinuation<[Int], Never>) in
                let start = MonotonicTime.now()
                var order: [Int] = []
                for number in [3, 1, 2] {
                    loop.schedule(at: start.advanced(byMilliseconds: number)) { order.append(number) }
                }
                loop.schedule(at: start.advanced(byMilliseconds: 2)) { order.append(20) }
                loop.schedule(at: start.advanced(byMilliseconds: 2)) { order.append(99) }.cancel()
                loop.schedule(at: start.advanced(byMilliseconds: 4)) { continuation.resume(returning: order) }
            }
        }
        #expect(order == [1, 2, 20, 3])
    }

    @Test func aTimerIsNeverEarly() async throws {
        try await withLoop { loop in
            let start = MonotonicTime.now()
            await loop.wait(milliseconds: 20)
            #expect(MonotonicTime.now().milliseconds(since: start) >= 20)
        }
    }

    @Test func theEndOfATurnComesAfterItsJobs() async throws {
        try await withLoop { loop in
            let log = Mutex<[String]>([])
            loop.atEndOfTurn { log.withLock { $0.append("end of turn") } }
            let job = Task(executorPreference: loop) { log.withLock { $0.append("job") } }
            await job.value
            await loop.wait(milliseconds: 1)
            #expect(log.withLock { $0 } == ["job", "end of turn"])
        }
    }

    /// A timer that always schedules the next one for at once must not keep jobs waiting.
    @Test func timersDoNotStarveJobs() async throws {
        final class Ticker {
            var isDone = false

            func tick(_ loop: EventLoop) {
                if !isDone { loop.schedule(at: loop.now) { self.tick(loop) } }
            }
        }
        try await withLoop { loop in
            let ticker = Ticker()
            ticker.tick(loop)
            await loop.wait(milliseconds: 5)
            await Task.yield()
            ticker.isDone = true
        }
    }

    @Test func aLongQueueOfJobsRunsInOrder() async throws {
        try await withLoop { loop in
            final class Log: Sendable { let numbers = Mutex<[Int]>([]) }
            let log = Log()
            let tasks = (0..<20_000).map { number in
                Task(executorPreference: loop) { log.numbers.withLock { $0.append(number) } }
            }
            for task in tasks { await task.value }
            #expect(log.numbers.withLock { $0 } == Array(0..<20_000))
        }
    }

    /// Each wake-up must reach the loop, whether it sleeps, is about to, or is awake: one lost would end the chain.
    @Test func noWakeUpIsLostBetweenTwoLoops() async throws {
        let other = try EventLoop(name: "other")
        try other.start()
        defer {
            other.stop()
            other.join()
        }
        try await withLoop { loop in
            for _ in 0..<5_000 {
                await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
                    other.execute { loop.execute { continuation.resume() } }
                }
            }
        }
    }

    /// A stopped loop ends though work keeps coming.
    @Test func aLoopStopsUnderLoad() async throws {
        @Sendable func spin(_ loop: EventLoop) {
            loop.execute { spin(loop) }
        }
        for _ in 0..<20 {
            let loop = try EventLoop(name: "test")
            try loop.start()
            let mayStop = AsyncStream<Void>.makeStream()
            loop.execute { spin(loop) }
            loop.execute { mayStop.continuation.finish() }
            for await _ in mayStop.stream {}
            loop.stop()
            loop.join()
        }
    }

    /// A callback, a timer or an end-of-turn callback that holds its loop, as most do, must not keep it for ever.
    @Test func aStoppedLoopLetsGoOfItsCallbacks() throws {
        weak var observed: EventLoop?
        do {
            let loop = try EventLoop(name: "test")
            observed = loop
            try loop.start()
            loop.execute {
                loop.schedule(afterMilliseconds: .max) { loop.preconditionCurrent() }
                loop.stop()
                loop.execute { loop.preconditionCurrent() }
                loop.atEndOfTurn { loop.atEndOfTurn { loop.preconditionCurrent() } }
            }
            loop.join()
            loop.execute { loop.preconditionCurrent() }
        }
        #expect(observed == nil)
    }

    @Test func theClockStopsAtItsEndsAndDoesNotWrap() {
        let now = MonotonicTime.now()
        #expect(now.advanced(byMilliseconds: .max) == MonotonicTime(nanoseconds: .max))
        #expect(now.advanced(byMilliseconds: .min) == MonotonicTime(nanoseconds: 0))
        #expect(MonotonicTime(nanoseconds: .max).advanced(byMilliseconds: 1) == MonotonicTime(nanoseconds: .max))
        #expect(now.advanced(byMilliseconds: 1_500).milliseconds(since: now) == 1_500)
        #expect(now.milliseconds(since: now.advanced(byMilliseconds: 1_500)) == -1_500)
    }

    /// A timer for "never" must neither trap nor fire at once.
    @Test func aTimerForNeverDoesNotRun() async throws {
        try await withLoop { loop in
            let timer = loop.schedule(afterMilliseconds: .max) { Issue.record("never is over") }
            await loop.wait(milliseconds: 2)
            timer.cancel()
        }
    }

    /// Jobs that queue jobs without end must not keep timers and events waiting.
    @Test func jobsDoNotStarveTimers() async throws {
        try await withLoop { loop in
            let isDone = Atomic<Bool>(false)
            let spinner = Task(executorPreference: loop) {
                while !isDone.load(ordering: .relaxed) { await Task.yield() }
            }
            await loop.wait(milliseconds: 5)
            isDone.store(true, ordering: .relaxed)
            await spinner.value
        }
    }
}

@Suite(.takesTurns) struct DescriptorTests {
    final class Recorder: DescriptorHandler {
        var readiness: [Readiness] = []
        var onReady: (() -> Void)?

        func ready(_ readiness: Readiness) {
            self.readiness.append(readiness)
            onReady?()
        }
    }

    static func socketPair() -> (Int32, Int32) {
        var pair: (Int32, Int32) = (0, 0)
        let result = withUnsafeMutableBytes(of: &pair) {
            socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, $0.baseAddress!.assumingMemoryBound(to: Int32.self))
        }
        precondition(result == 0)
        return pair
    }

    @Test func readinessIsToldToTheHandler() async throws {
        try await withLoop { loop in
            let (near, far) = Self.socketPair()
            let recorder = Recorder()
            let registration = try loop.register(near, interest: .readable, handler: recorder)
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
                recorder.onReady = {
                    registration.cancel()
                    continuation.resume()
                }
                Glibc.write(far, "x", 1)
            }
            #expect(recorder.readiness == [.readable])
            close(near)
            close(far)
        }
    }

    /// A handler takes a piece at a time. On a machine that is too busy to go on for 100 ms it is tried again.
    @Test func afterAStallAllThatCameIsReadBeforeATimerJudges() async throws {
        for _ in 0..<5 {
            let seen = try await withLoop { loop in
                let (near, far) = Self.socketPair()
                let recorder = Recorder()
                let registration = try loop.register(near, interest: .readable, handler: recorder)
                var read = 0
                recorder.onReady = {
                    var byte: UInt8 = 0
                    read += Glibc.read(near, &byte, 1)
                }
                let seen = await withUnsafeContinuation { (continuation: UnsafeContinuation<Int, Never>) in
                    loop.schedule(afterMilliseconds: 1) { continuation.resume(returning: read) }
                    Glibc.write(far, "abc", 3)
                    usleep(1_100_000)
                }
                registration.cancel()
                close(near)
                close(far)
                return seen
            }
            if seen == 3 { return }
        }
        Issue.record("the timer was always first")
    }

    /// Both ends are ready in one wait; the handler that runs first closes the other and gives its number to a new
    /// descriptor, whose handler must not get the old one's event.
    @Test func anEventOfAClosedDescriptorNeverReachesItsSuccessor() async throws {
        try await withLoop { loop in
            let (first, firstPeer) = Self.socketPair()
            let (second, secondPeer) = Self.socketPair()
            let (spare, _) = Self.socketPair()
            let recorders = [Recorder(), Recorder()]
            let successor = Recorder()
            var registrations = [
                try loop.register(first, interest: .readable, handler: recorders[0]),
                try loop.register(second, interest: .readable, handler: recorders[1]),
            ]
            let descriptors = [first, second]
            for (index, recorder) in recorders.enumerated() {
                recorder.onReady = {
                    let other = 1 - index
                    registrations[index].cancel()
                    registrations[other].cancel()
                    // Closes the old descriptor and takes over its number in one step: other tests open some too.
                    dup2(spare, descriptors[other])
                    registrations = [try! loop.register(descriptors[other], interest: .readable, handler: successor)]
                }
            }
            Glibc.write(firstPeer, "x", 1)
            Glibc.write(secondPeer, "x", 1)
            await loop.wait(milliseconds: 5)
            #expect(recorders[0].readiness.count + recorders[1].readiness.count == 1)
            #expect(successor.readiness.isEmpty)
            registrations[0].cancel()
        }
    }

    /// Both are ready in one wait; the handler that runs first takes the other's interest away.
    @Test func aHandlerIsNotToldOfWhatItNoLongerWants() async throws {
        try await withLoop { loop in
            let pairs = [Self.socketPair(), Self.socketPair()]
            let recorders = [Recorder(), Recorder()]
            let registrations = try zip(pairs, recorders).map {
                try loop.register($0.0, interest: .readable, handler: $1)
            }
            for recorder in recorders {
                recorder.onReady = { for registration in registrations { registration.update(interest: []) } }
            }
            for pair in pairs { Glibc.write(pair.1, "x", 1) }
            await loop.wait(milliseconds: 5)
            #expect(recorders[0].readiness.count + recorders[1].readiness.count == 1)
            for (registration, pair) in zip(registrations, pairs) {
                registration.cancel()
                close(pair.0)
                close(pair.1)
            }
        }
    }

    @Test func aClosedPeerIsReportedEvenWithNoInterest() async throws {
        try await withLoop { loop in
            let (near, far) = Self.socketPair()
            let recorder = Recorder()
            let registration = try loop.register(near, interest: [], handler: recorder)
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
                recorder.onReady = {
                    registration.cancel()
                    continuation.resume()
                }
                close(far)
            }
            #expect(recorder.readiness == [.closed])
            close(near)
        }
    }
}
