import CLinux
import EventLoop
import Glibc
import Synchronization

/// What the main thread, which runs no tasks, waits for.
public enum MainThread {
    /// Runs `body` on a loop, and waits for its end.
    public static func run<Result: Sendable>(
        on loop: EventLoop, _ body: @escaping @Sendable () async throws -> Result
    ) throws -> Result {
        let outcome = Outcome<Result>()
        let flag = try Flag()
        Task(executorPreference: loop) {
            do {
                let value = try await body()
                outcome.value.withLock { $0 = .success(value) }
            } catch {
                outcome.value.withLock { $0 = .failure(error) }
            }
            flag.raise()
        }
        _ = waitUntilReadable([flag.descriptor], deadline: nil)
        return try outcome.value.withLock { $0! }.get()
    }

    private final class Outcome<Value: Sendable>: Sendable {
        let value = Mutex<Result<Value, any Error>?>(nil)
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
