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

    /// Starts a program, found in PATH, with nothing for standard input and output.
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
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        defer { for argument in arguments { free(argument) } }
        arguments.append(nil)
        var process: pid_t = 0
        let code = posix_spawnp(&process, words[0], &actions, nil, arguments, environ)
        return (process, code)
    }
}
