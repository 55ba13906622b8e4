import CLinux
import Glibc

/// What this process may use of the machine.
public enum ProcessLimits {
    /// Lets this process open as many descriptors as the system allows it: the soft limit, often 1,024, is meant for
    /// programs that use `select`. Children inherit the raised limit.
    ///
    /// - Returns: the limit that now holds.
    @discardableResult
    public static func raiseOpenFiles() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
        let soft = limit.rlim_cur
        limit.rlim_cur = limit.rlim_max
        let raised = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
        return Int(clamping: raised ? limit.rlim_max : soft)
    }

    /// How many processors this process may run on: what a container or `taskset` leaves it.
    public static var availableProcessors: Int { Int(usher_available_processors()) }

    /// A write to a connection whose peer is gone then fails with EPIPE instead of ending the process.
    public static func ignoreBrokenPipes() {
        _ = signal(SIGPIPE, SIG_IGN)
    }

    /// Opens those of standard input, output and error that are closed, so that no file or connection of this process
    /// takes their place, and what is said goes there. What is read from them is empty, and what is written fails.
    public static func occupyStandardDescriptors() {
        for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(descriptor, F_GETFD) < 0 {
            // The lowest that is free: those before it are open by now.
            _ = open("/dev/null", O_RDONLY)
        }
    }
}
