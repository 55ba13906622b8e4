import CLinux
import EventLoop
import Glibc

/// What the main thread, which runs no tasks, waits for.
public enum MainThread {
    /// Runs `body` on a loop, and waits for its end. Takes no descriptor: those who stop may have none left.
    public static func run<Result: Sendable>(
        on loop: EventLoop, _ body: @escaping @Sendable () async throws -> Result
    ) throws -> Result {
        let outcome = Outcome<Result>()
        Task(executorPreference: loop) {
            do {
                outcome.set(.success(try await body()))
            } catch {
                outcome.set(.failure(error))
            }
        }
        return try outcome.wait().get()
    }

    /// `@unchecked Sendable`: `value` is written before the semaphore is raised, and read after.
    private final class Outcome<Value: Sendable>: @unchecked Sendable {
        private let isThere = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
        private var value: Result<Value, any Error>?

        init() {
            sem_init(isThere, 0, 0)
        }

        deinit {
            sem_destroy(isThere)
            isThere.deallocate()
        }

        func set(_ value: Result<Value, any Error>) {
            self.value = value
            sem_post(isThere)
        }

        func wait() -> Result<Value, any Error> {
            while sem_wait(isThere) != 0 {}
            return value!
        }
    }

    /// A descriptor that becomes readable once, when a task raises it.
    public final class Flag: Sendable {
        public let descriptor: Int32

        /// - Throws: `SystemError` when descriptors have run out.
        public init() throws {
            descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
            guard descriptor >= 0 else { throw SystemError("eventfd") }
        }

        deinit {
            close(descriptor)
        }

        public func raise() {
            var one: UInt64 = 1
            write(descriptor, &one, MemoryLayout<UInt64>.size)
        }
    }
}
