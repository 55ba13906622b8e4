import CLinux
import Glibc
import Synchronization

/// An epoll reactor on a thread of its own, and the executor of the Swift tasks and actors that belong to it.
///
/// One type in both executor roles: a task that prefers this loop (`Task(executorPreference: loop)`) and an actor
/// whose `unownedExecutor` is this loop run on the loop's thread, between its events. One turn of the loop is: wait
/// for events, tell their handlers, run due timers, run jobs, then the end-of-turn callbacks, which is where writers
/// flush what the turn produced in one system call.
///
/// `@unchecked Sendable`: everything that is not atomic or behind the mutex is touched only by the loop's own thread,
/// or before `start()`; entries that need the thread check it with `preconditionCurrent()`.
public final class EventLoop: SerialExecutor, TaskExecutor, @unchecked Sendable {
    /// What another thread may hand to the loop.
    private struct Inbox {
        var jobs: [UnownedJob] = []
        var callbacks: [@Sendable () -> Void] = []
        var isWakePending = false
        /// The loop has ended: what is handed to it now would never run, and never be let go.
        var isClosed = false

        /// Whether the caller must wake the loop: only if nobody has since the loop last looked.
        mutating func noteWake() -> Bool {
            defer { isWakePending = true }
            return !isWakePending
        }
    }

    private static let eventsPerWait = 256
    private static let jobsPerTurn = 512
    /// A loop whose timers are so late stood still, and reads what came in meanwhile for a while before it runs them.
    private static let stallMilliseconds = 1_000
    private static let catchUpMilliseconds = 100
    private static let wakeIdentifier = UInt64.max

    public let name: String
    private let epollDescriptor: Int32
    private let wakeDescriptor: Int32
    private let inbox = Mutex(Inbox())
    private let threadIdentifier = Atomic<UInt>(0)
    private let isStopping = Atomic<Bool>(false)

    private var thread = pthread_t()
    private var jobs: [UnownedJob] = []
    /// The jobs before this index have run; they leave the array in large pieces, so that a long queue costs no more
    /// a job than a short one.
    private var jobsHead = 0
    private var timers = TimerHeap()
    private var endOfTurn: [() -> Void] = []
    /// By descriptor number. The generation tells a descriptor's owner from an earlier one with the same number.
    private var registrations: [(generation: UInt32, registration: Registration?)] = []
    private var time = MonotonicTime.now()
    private var catchUpEnd: MonotonicTime?

    /// Makes a loop that is not running yet.
    /// - Throws: `SystemError` when the kernel grants no more descriptors.
    public init(name: String) throws {
        self.name = name
        epollDescriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard epollDescriptor >= 0 else { throw SystemError("epoll_create1") }
        // From here on `deinit` closes both.
        wakeDescriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard wakeDescriptor >= 0 else { throw SystemError("eventfd") }
        var event = epoll_event()
        event.events = EPOLLIN.rawValue
        event.data.u64 = Self.wakeIdentifier
        guard epoll_ctl(epollDescriptor, EPOLL_CTL_ADD, wakeDescriptor, &event) == 0 else {
            throw SystemError("epoll_ctl")
        }
    }

    deinit {
        close(epollDescriptor)
        close(wakeDescriptor)
    }

    // MARK: Life

    /// Starts the loop's thread. To be called once.
    public func start() throws {
        let context = Unmanaged.passRetained(self)
        let result = pthread_create(&thread, nil, runLoopThread, context.toOpaque())
        guard result == 0 else {
            context.release()
            throw SystemError("pthread_create", code: result)
        }
    }

    /// Asks the loop to end after the turn it is in. Jobs, callbacks and timers that are still there then do not run.
    public func stop() {
        isStopping.store(true, ordering: .releasing)
        wake()
    }

    /// Waits until the loop's thread has ended. Not to be called on the loop's own thread.
    public func join() {
        precondition(!isCurrent, "an event loop cannot wait for itself")
        pthread_join(thread, nil)
    }

    // MARK: Where am I

    /// Whether the caller runs on the loop's thread.
    public var isCurrent: Bool {
        threadIdentifier.load(ordering: .relaxed) == UInt(pthread_self())
    }

    /// Stops the program if the caller does not run on the loop's thread.
    public func preconditionCurrent() {
        precondition(isCurrent, "only to be called on the thread of its event loop")
    }

    /// The time at which the current turn began: cheap, and good enough for deadlines. Only on the loop's thread.
    public var now: MonotonicTime { time }

    // MARK: Callbacks

    /// Runs `body` on the loop's thread, in a coming turn. May be called from any thread.
    public func execute(_ body: @escaping @Sendable () -> Void) {
        let mustWake = inbox.withLock { inbox in
            if inbox.isClosed { return false }
            inbox.callbacks.append(body)
            return inbox.noteWake()
        }
        if mustWake { wake() }
    }

    /// Runs `body` once, at or after `deadline`. Only on the loop's thread.
    @discardableResult
    public func schedule(at deadline: MonotonicTime, _ body: @escaping () -> Void) -> ScheduledTimer {
        preconditionCurrent()
        return timers.insert(at: deadline, body)
    }

    /// Runs `body` once, at or after `milliseconds` from now. Only on the loop's thread.
    @discardableResult
    public func schedule(afterMilliseconds milliseconds: Int, _ body: @escaping () -> Void) -> ScheduledTimer {
        schedule(at: MonotonicTime.now().advanced(byMilliseconds: milliseconds), body)
    }

    /// Suspends the task for at least `milliseconds`. A cancelled task waits all the same: waits here are short.
    public func wait(milliseconds: Int) async {
        await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
            preconditionCurrent()
            schedule(afterMilliseconds: milliseconds) { continuation.resume() }
        }
    }

    /// Suspends the task until the loop's next turn: what came in, and other tasks, have their turn before it goes on.
    public func nextTurn() async {
        await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
            atEndOfTurn { continuation.resume() }
        }
    }

    /// Runs `body` once, after the jobs of this turn and before the loop waits again. Only on the loop's thread.
    public func atEndOfTurn(_ body: @escaping () -> Void) {
        preconditionCurrent()
        endOfTurn.append(body)
    }

    // MARK: Descriptors

    /// Watches a non-blocking descriptor (level-triggered) until the registration is cancelled. The loop keeps
    /// `handler` alive until then. Only on the loop's thread.
    /// - Throws: `SystemError` from `epoll_ctl`.
    public func register(
        _ descriptor: Int32, interest: Readiness, handler: any DescriptorHandler
    ) throws -> Registration {
        preconditionCurrent()
        let index = Int(descriptor)
        while registrations.count <= index { registrations.append((0, nil)) }
        precondition(registrations[index].registration == nil, "descriptor \(descriptor) is registered already")
        registrations[index].generation &+= 1
        let registration = Registration(loop: self, descriptor: descriptor, handler: handler, interest: interest)
        guard control(EPOLL_CTL_ADD, registration) == 0 else { throw SystemError("epoll_ctl") }
        registrations[index].registration = registration
        return registration
    }

    func modify(_ registration: Registration) {
        let result = control(EPOLL_CTL_MOD, registration)
        precondition(result == 0, "epoll_ctl refused a registered descriptor: \(SystemError("epoll_ctl"))")
    }

    func remove(_ registration: Registration) {
        _ = control(EPOLL_CTL_DEL, registration)
        registrations[Int(registration.descriptor)].registration = nil
    }

    private func control(_ operation: Int32, _ registration: Registration) -> Int32 {
        let generation = registrations[Int(registration.descriptor)].generation
        var event = epoll_event()
        event.events = registration.interest.epollEvents
        event.data.u64 = UInt64(generation) << 32 | UInt64(UInt32(bitPattern: registration.descriptor))
        return epoll_ctl(epollDescriptor, operation, registration.descriptor, &event)
    }

    // MARK: Executor

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if isCurrent {
            jobs.append(job)
            return
        }
        let mustWake = inbox.withLock { inbox in
            inbox.jobs.append(job)
            return inbox.noteWake()
        }
        if mustWake { wake() }
    }

    public func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }

    public func checkIsolated() {
        preconditionCurrent()
    }

    public func isIsolatingCurrentContext() -> Bool? {
        isCurrent
    }

    // MARK: The turn

    fileprivate func run() {
        threadIdentifier.store(UInt(pthread_self()), ordering: .relaxed)
        let executor = asUnownedTaskExecutor()
        var events = [epoll_event](repeating: epoll_event(), count: Self.eventsPerWait)
        while !isStopping.load(ordering: .acquiring) {
            let count = epoll_wait(epollDescriptor, &events, Int32(Self.eventsPerWait), waitMilliseconds())
            // Anything but EINTR means that the loop's own descriptors are broken.
            precondition(count >= 0 || errno == EINTR, "epoll_wait failed: \(SystemError("epoll_wait"))")
            // A process that was stopped and goes on hears of nothing else, and its timers are due: what has come in
            // meanwhile is looked at before any of them says that it has not.
            guard count >= 0 else { continue }
            time = .now()
            for index in 0..<Int(count) { deliver(events[index]) }
            if !isCatchingUp(hasEvents: count > 0) { runDueTimers() }
            runJobs(executor)
            runEndOfTurn()
        }
        dropCallbacks()
        threadIdentifier.store(0, ordering: .relaxed)
    }

    /// Callbacks often hold the loop, which holds them: an ended loop would never go.
    private func dropCallbacks() {
        let dropped = inbox.withLock { inbox in
            let callbacks = inbox.callbacks
            inbox.callbacks = []
            inbox.isClosed = true
            return callbacks
        }
        let (droppedTimers, droppedEnds) = (timers, endOfTurn)
        timers = TimerHeap()
        endOfTurn = []
        // Let go here, after the loop's own state is settled: what they held may call the loop as it goes.
        withExtendedLifetime((dropped, droppedTimers, droppedEnds)) {}
    }

    private func waitMilliseconds() -> Int32 {
        if jobsHead < jobs.count || !endOfTurn.isEmpty { return 0 }
        guard let deadline = timers.nextDeadline() else { return -1 }
        let now = MonotonicTime.now()
        if deadline <= now { return 0 }
        // Rounded up, so that the loop does not spin through the last millisecond before a timer.
        return Int32(clamping: (deadline.nanoseconds - now.nanoseconds - 1) / 1_000_000 + 1)
    }

    private func deliver(_ event: epoll_event) {
        let identifier = event.data.u64
        if identifier == Self.wakeIdentifier {
            drainInbox()
            return
        }
        let index = Int(UInt32(truncatingIfNeeded: identifier))
        let (generation, registration) = registrations[index]
        guard generation == UInt32(identifier >> 32), let registration else { return }
        // Another handler of this turn may have narrowed the interest since the kernel reported the event.
        let readiness = Readiness(epollEvents: event.events).intersection(registration.interest.union(.closed))
        if !readiness.isEmpty { registration.handler?.ready(readiness) }
    }

    /// Whether timers are to wait, as they would judge by what has not been read yet: a turn takes no more than a piece of
    /// what a connection has, and the tasks that it wakes come after timers.
    private func isCatchingUp(hasEvents: Bool) -> Bool {
        guard hasEvents, let due = timers.nextDeadline(), due.advanced(byMilliseconds: Self.stallMilliseconds) <= time
        else {
            catchUpEnd = nil
            return false
        }
        let end = catchUpEnd ?? time.advanced(byMilliseconds: Self.catchUpMilliseconds)
        catchUpEnd = time < end ? end : nil
        return catchUpEnd != nil
    }

    /// Runs the timers that are due, but no more than there were: one that always schedules the next for at once must
    /// not keep jobs and events waiting.
    private func runDueTimers() {
        for _ in 0..<timers.count {
            guard let timer = timers.popDue(at: time) else { return }
            timer.fire()
        }
    }

    private func drainInbox() {
        var count: UInt64 = 0
        read(wakeDescriptor, &count, MemoryLayout<UInt64>.size)
        let taken = inbox.withLock { inbox in
            let taken = inbox
            inbox = Inbox()
            return taken
        }
        jobs.append(contentsOf: taken.jobs)
        for callback in taken.callbacks { callback() }
    }

    /// Runs the jobs that are queued, and those that they queue, up to a bound: events and timers get their turn.
    ///
    /// They run as jobs of a task executor, those of actors too: to the runtime, a job that is isolated to a serial
    /// executor is elsewhere than code without isolation, so that each call of an async function, and each return from
    /// one, would be a job of its own, in line behind all others.
    private func runJobs(_ executor: UnownedTaskExecutor) {
        let end = jobsHead + Self.jobsPerTurn
        while jobsHead < min(jobs.count, end) {
            let job = jobs[jobsHead]
            jobsHead += 1
            job.runSynchronously(on: executor)
        }
        if jobsHead == jobs.count {
            jobs.removeAll(keepingCapacity: true)
            jobsHead = 0
        } else if jobsHead >= jobs.count / 2 {
            jobs.removeFirst(jobsHead)
            jobsHead = 0
        }
    }

    private func runEndOfTurn() {
        guard !endOfTurn.isEmpty else { return }
        let callbacks = endOfTurn
        endOfTurn.removeAll(keepingCapacity: true)
        for callback in callbacks { callback() }
    }

    private func wake() {
        var one: UInt64 = 1
        write(wakeDescriptor, &one, MemoryLayout<UInt64>.size)
    }
}

private func runLoopThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    let loop = Unmanaged<EventLoop>.fromOpaque(context).takeRetainedValue()
    loop.run()
    return nil
}
