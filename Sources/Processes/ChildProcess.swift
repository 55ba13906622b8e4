import CLinux
import EventLoop
import Glibc
import Synchronization

/// A program running in a process group of its own, which ends with it.
///
/// Belongs to the thread that made it. When it is dropped, the group is killed and the process is reaped, so neither
/// an orphan nor a zombie is left.
public final class ChildProcess {
    /// What to run, and what it gets. Nothing else is inherited.
    public struct Program {
        /// The file to execute; `PATH` is not searched.
        public var path: String
        /// The program's arguments, its name first.
        public var arguments: [String]
        public var environment: [String: String]
        /// nil keeps this process' folder.
        public var directory: String?
        /// `descriptors[i]` becomes descriptor `i`: standard input, output, error, then others; at most 16. They stay
        /// the caller's to close.
        public var descriptors: [Int32]
        /// Sent to the process (not to its group) when the thread that starts it ends. So use it only from a thread
        /// that lives as long as this process: the main thread. nil for none.
        public var parentDeathSignal: Int32?
        /// `cgroup.procs` of the control group that it is to be in, open for writing, which stays the caller's to close;
        /// nil for that of this process. If it cannot be there, it runs all the same.
        public var controlGroup: Int32?

        public init(
            path: String, arguments: [String], environment: [String: String], directory: String? = nil,
            descriptors: [Int32], parentDeathSignal: Int32?, controlGroup: Int32? = nil
        ) {
            self.path = path
            self.arguments = arguments
            self.environment = environment
            self.directory = directory
            self.descriptors = descriptors
            self.parentDeathSignal = parentDeathSignal
            self.controlGroup = controlGroup
        }
    }

    /// The process id, which is also its group's.
    public let id: Int32
    /// Readable once the process has ended: for those who wait for several things at once. Not to be read or closed.
    public let exitDescriptor: Int32
    public let startTime: MonotonicTime
    private var status: ExitStatus?
    private static let unreaped = Mutex<Set<Int32>>([])

    /// Whether a child of this process was started by this class, and was not reaped yet: else it came to this process
    /// from a descendant that has ended (`PR_SET_CHILD_SUBREAPER`). Not to be asked while another thread starts one.
    public static func hasStarted(_ id: Int32) -> Bool { unreaped.withLock { $0.contains(id) } }

    /// Returns once the program runs.
    ///
    /// - Throws: `SystemError` naming the step that failed, such as "execute /bin/none: No such file or directory".
    public init(starting program: Program) throws(SystemError) {
        let id = try Self.spawn(program)
        let exitDescriptor = usher_pidfd_open(id)
        guard exitDescriptor >= 0 else {
            let error = SystemError("watch process \(id)")
            kill(-id, SIGKILL)
            waitpid(id, nil, 0)
            throw error
        }
        // Not before: from here on `deinit` ends it.
        (self.id, self.exitDescriptor, startTime) = (id, exitDescriptor, .now())
        Self.unreaped.withLock { _ = $0.insert(id) }
    }

    deinit {
        if status == nil { _ = stop(graceMilliseconds: 0) }
        close(exitDescriptor)
    }

    /// How it ended, or nil while it runs.
    public var exitStatus: ExitStatus? { waitForExit(deadline: MonotonicTime(nanoseconds: 0)) }

    /// Waits for its end.
    ///
    /// - Returns: nil if it still ran at the deadline.
    public func waitForExit(deadline: MonotonicTime) -> ExitStatus? {
        if let status { return status }
        guard !waitUntilReadable([exitDescriptor], deadline: deadline).isEmpty else { return nil }
        // Until it is reaped its id cannot be given to another process or group, so this kills only what it left behind.
        kill(-id, SIGKILL)
        var waitStatus: Int32 = 0
        while waitpid(id, &waitStatus, 0) < 0 && errno == EINTR {}
        Self.unreaped.withLock { _ = $0.remove(id) }
        let status = ExitStatus(waitStatus: waitStatus)
        self.status = status
        return status
    }

    /// Sends a signal to the whole group; nothing happens once the process has been seen to have ended.
    public func signalGroup(_ signal: Int32) {
        if status == nil { kill(-id, signal) }
    }

    /// Asks the group to end (SIGTERM), and kills it after `graceMilliseconds`.
    ///
    /// - Returns: how it ended; nil if the kernel still holds the process five seconds after it was killed.
    public func stop(graceMilliseconds: Int) -> ExitStatus? {
        if graceMilliseconds > 0 {
            signalGroup(SIGTERM)
            if let status = waitForExit(deadline: .now().advanced(byMilliseconds: graceMilliseconds)) { return status }
        }
        signalGroup(SIGKILL)
        return waitForExit(deadline: .now().advanced(byMilliseconds: 5000))
    }

    private static func spawn(_ program: Program) throws(SystemError) -> Int32 {
        let environment = program.environment.map { "\($0.key)=\($0.value)" }
        let texts = [program.path] + program.arguments + environment + [program.directory ?? ""]
        guard !texts.contains(where: { $0.utf8.contains(0) }) else {
            throw SystemError("start \(program.path)", code: EINVAL)
        }
        var failedStep: Int32 = 0
        var code: Int32 = 0
        let id = withCStrings(program.arguments) { arguments in
            withCStrings(environment) { environment in
                program.path.withCString { path in
                    withOptionalCString(program.directory) { directory in
                        program.descriptors.withUnsafeBufferPointer { descriptors in
                            var request = usher_spawn_request(
                                path: path, arguments: arguments, environment: environment, directory: directory,
                                descriptors: descriptors.baseAddress, descriptor_count: Int32(descriptors.count),
                                parent_death_signal: program.parentDeathSignal ?? 0,
                                control_group: program.controlGroup ?? -1)
                            let id = usher_spawn(&request, &failedStep)
                            code = errno
                            return id
                        }
                    }
                }
            }
        }
        guard id > 0 else { throw SystemError(operation(ofStep: failedStep, program), code: code) }
        return id
    }

    private static func operation(ofStep step: Int32, _ program: Program) -> String {
        switch usher_spawn_step(UInt32(step)) {
        case USHER_SPAWN_DIRECTORY: "go to folder \(program.directory ?? "")"
        case USHER_SPAWN_DESCRIPTORS: "hand descriptors to \(program.path)"
        case USHER_SPAWN_EXECUTE: "execute \(program.path)"
        default: "start a process for \(program.path)"
        }
    }
}

/// An array of C strings that ends with a null pointer, as `execve` wants it; valid during `body`.
private func withCStrings<Result>(
    _ texts: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    var pointers: [UnsafeMutablePointer<CChar>?] = texts.map { strdup($0) }
    defer { for pointer in pointers { free(pointer) } }
    pointers.append(nil)
    return body(pointers)
}

private func withOptionalCString<Result>(_ text: String?, _ body: (UnsafePointer<CChar>?) -> Result) -> Result {
    guard let text else { return body(nil) }
    return text.withCString(body)
}
