import EventLoop
import Glibc
import Synchronization
import Usher

/// A thread for what takes as long as a disk likes: who waits for it gives up in time.
final class DiskThread: Sendable {
    /// How long it is waited for. Once one has waited for so long in vain, others are told at once until it goes on, so that
    /// they neither wait nor queue up.
    static let patienceMilliseconds = 20_000
    private static let away = ArchiveFault.away("its disk does not answer")

    private let thread: EventLoop
    /// Of the timers.
    private let clock: EventLoop
    private let isStuck = Atomic(false)

    /// - Parameter clock: a loop that nothing holds up.
    /// - Throws: `SystemError` if the kernel grants no more descriptors.
    init(clock: EventLoop) throws {
        thread = try EventLoop(name: "archive-disk")
        self.clock = clock
    }

    /// - Throws: `SystemError` if the kernel grants no thread.
    func start() throws {
        try thread.start()
    }

    /// Ends it. Where it is held up it is left to the end of the process, which no disk is to keep from ending.
    func stop(graceMilliseconds: Int = 1_000) {
        let isFree = Event()
        thread.execute { isFree.hasHappened.store(true, ordering: .relaxed) }
        let deadline = MonotonicTime.now().advanced(byMilliseconds: graceMilliseconds)
        while !isFree.hasHappened.load(ordering: .relaxed), MonotonicTime.now() < deadline { usleep(1_000) }
        thread.stop()
        if isFree.hasHappened.load(ordering: .relaxed) { thread.join() }
    }

    /// Runs `body` there. What is given up before it has begun does not run.
    /// - Throws: what it throws, or `.away` if it has not ended by `deadline`, or by `patience`, whichever is first.
    func run<Value: Sendable>(
        patience: Int = patienceMilliseconds, until deadline: MonotonicTime? = nil,
        _ body: @escaping @Sendable () throws(ArchiveFault) -> Value
    ) async throws(ArchiveFault) -> Value {
        guard !isStuck.load(ordering: .relaxed) else { throw Self.away }
        let end = MonotonicTime.now().advanced(byMilliseconds: patience)
        return try await withUnsafeContinuation { continuation in
            let waiter = Waiter<Value>(continuation)
            thread.execute {
                guard waiter.isWaiting else { return }
                do throws(ArchiveFault) { waiter.tell(.success(try body())) } catch { waiter.tell(.failure(error)) }
            }
            clock.execute { [self] in
                clock.schedule(at: min(end, deadline ?? end)) { [self] in
                    // Who has less time than that cannot tell. Before it is told: whoever comes next must know.
                    if waiter.isWaiting, .now() >= end {
                        isStuck.store(true, ordering: .relaxed)
                        thread.execute { [self] in isStuck.store(false, ordering: .relaxed) }
                    }
                    waiter.tell(.failure(Self.away))
                }
            }
        }.get()
    }

    private final class Event: Sendable {
        let hasHappened = Atomic(false)
    }

    /// Who waits, until it is told.
    private final class Waiter<Value: Sendable>: Sendable {
        typealias Continuation = UnsafeContinuation<Result<Value, ArchiveFault>, Never>

        private let continuation: Mutex<Continuation?>

        init(_ continuation: Continuation) { self.continuation = Mutex(continuation) }

        var isWaiting: Bool { continuation.withLock { $0 != nil } }

        /// Nothing, if it was told before.
        func tell(_ result: Result<Value, ArchiveFault>) {
            let waiting = continuation.withLock { continuation in
                defer { continuation = nil }
                return continuation
            }
            waiting?.resume(returning: result)
        }
    }
}
