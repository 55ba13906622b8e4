import CLinux
import EventLoop
import Foundation
import Synchronization

/// Starts processes from one thread that never ends. `PR_SET_PDEATHSIG` goes by the thread that made the child, so a
/// child of a pool's thread could be killed while the tests still run.
final class Spawner: Sendable {
    static let shared = Spawner()

    private let loop: EventLoop

    private init() {
        loop = try! EventLoop(name: "spawner")
        try! loop.start()
    }

    /// Starts a program, found in PATH, with nothing for standard input and output. It dies with the tests.
    func spawn(_ words: [String]) throws -> pid_t {
        let isDone = DispatchSemaphore(value: 0)
        final class Box: Sendable {
            let outcome = Mutex<(process: pid_t, code: Int32)>((0, 0))
        }
        let box = Box()
        loop.execute {
            box.outcome.withLock { $0 = Self.spawnHere(words) }
            isDone.signal()
        }
        isDone.wait()
        let (process, code) = box.outcome.withLock { $0 }
        guard code == 0 else { throw TestServerError("cannot start \(words[0]): \(String(cString: strerror(code)))") }
        return process
    }

    private static func spawnHere(_ words: [String]) -> (pid_t, Int32) {
        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(null) }
        var arguments: [UnsafeMutablePointer<CChar>?] = (["/usr/bin/env"] + words).map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        // Nothing else is inherited: hiredis marks a new connection as close-on-exec only once it is made, so a server
        // started at that moment by plain `posix_spawn` would keep another test's connection open after its client.
        let process = arguments.withUnsafeMutableBufferPointer { arguments in
            [null, null, STDERR_FILENO].withUnsafeBufferPointer { descriptors in
                var request = usher_spawn_request(
                    path: arguments[0], arguments: arguments.baseAddress, environment: environ, directory: nil,
                    descriptors: descriptors.baseAddress, descriptor_count: Int32(descriptors.count),
                    parent_death_signal: SIGKILL, control_group: -1)
                var failedStep: Int32 = 0
                return usher_spawn(&request, &failedStep)
            }
        }
        return (process, process > 0 ? 0 : errno)
    }
}
