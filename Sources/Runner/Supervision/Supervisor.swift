import CLinux
import EventLoop
import Glibc
import Log
import Processes

/// The process between a runner and one bot (docs/architecture.md, "Leases"). It has no network. It starts the bot in a
/// process group of its own and ends it, with everything that the bot started, when its deadline passes or its pipe
/// from the runner closes: so a bot never outlives its lease, even if the runner is killed, stopped or cut off. If it
/// is stopped itself when the deadline passes, or too slow, the kernel ends both a moment later.
///
/// Standard input is the pipe from the runner, standard output the pipe to it (`SupervisorFrame`). Runs on the main
/// thread alone: the bot gets SIGKILL when that ends.
public final class Supervisor {
    /// How long a clean-up may take.
    static let cleanUpMilliseconds = 10_000
    private static let retryMicroseconds: UInt32 = 200_000
    /// How long it waits for what the program left behind to be gone, after it was killed.
    private static let remainsMilliseconds = 5_000

    private let control = STDIN_FILENO
    private let reports = STDOUT_FILENO
    private let timer: Int32
    private let childSignals: Int32
    private let kernelDeadline: KernelDeadline
    private let kernelDelayMilliseconds: Int
    private var decoder = SupervisorFrameDecoder()
    private var deadline: BootTime? {
        didSet { kernelDeadline.set(deadline?.advanced(byMilliseconds: kernelDelayMilliseconds)) }
    }
    /// When a program that was told to end is killed.
    private var killTime: BootTime?
    private var cause = ProgramEnd.Cause.itself
    private var program: SupervisedProgram?
    private var process: ChildProcess?
    private var group: ControlGroup?
    private var output: Int32 = -1
    private var mask = SecretMask()
    private var tail = OutputTail()
    /// nil: the output is kept, and not shown.
    private var relay: OutputRelay?

    /// - Parameter kernelDelayMilliseconds: how much later than the deadline the kernel steps in: less than a lease lives
    ///   on, the shortest one too.
    /// - Returns: the exit code: 0, or 1 if the kernel granted nothing to work with.
    public static func run(kernelDelayMilliseconds: Int = 100) -> Int32 {
        // The runner decides about signals that a terminal or a service manager sends to everybody.
        for number in [SIGINT, SIGTERM, SIGHUP, SIGPIPE] { signal(number, SIG_IGN) }
        // What the bot started comes to this process when the bot ends, and can be ended then.
        do throws(SystemError) {
            guard usher_adopt_orphans() == 0 else { throw SystemError("adopt orphans") }
            try Supervisor(kernelDelayMilliseconds).serve()
            return 0
        } catch {
            let reason = "The bot could not be started: \(error)."
            let report = SupervisorReport.notStarted(reason, mayPass: error.mayPass)
            _ = writeAll(SupervisorFrame.encode(report), to: STDOUT_FILENO)
            return 1
        }
    }

    private init(_ kernelDelayMilliseconds: Int) throws(SystemError) {
        self.kernelDelayMilliseconds = kernelDelayMilliseconds
        timer = timerfd_create(CLOCK_BOOTTIME, Int32(TFD_CLOEXEC) | Int32(TFD_NONBLOCK))
        var children = sigset_t()
        sigemptyset(&children)
        sigaddset(&children, SIGCHLD)
        pthread_sigmask(SIG_BLOCK, &children, nil)
        childSignals = signalfd(-1, &children, Int32(SFD_CLOEXEC | SFD_NONBLOCK))
        guard timer >= 0, childSignals >= 0, let kernelDeadline = KernelDeadline() else {
            throw SystemError("make timers")
        }
        self.kernelDeadline = kernelDeadline
        // A runner that is stopped reads nothing; that must not keep the deadline from being watched.
        for descriptor in [control, reports] { setNonBlocking(descriptor) }
    }

    // MARK: The life of a program

    private func serve() {
        while true {
            // First of all, so that a supervisor that was stopped ends its program before anything else.
            checkClock()
            guard takeCommands() else { return abandon() }
            checkClock()
            if let process, let status = process.exitStatus { return finish(status) }
            armTimer()
            let watched = [control, timer, childSignals, output].filter { $0 >= 0 }
            let ready = waitUntilReadable(watched + (process.map { [$0.exitDescriptor] } ?? []), deadline: nil)
            if ready.contains(timer) { drain(timer) }
            if ready.contains(childSignals) { reapOrphans(sparing: process?.id) }
            if ready.contains(output) { readOutput() }
        }
    }

    private func checkClock() {
        guard let process else { return }
        let now = BootTime.now()
        if let deadline, deadline <= now {
            cause = .deadline
            process.signalGroup(SIGKILL)
            group?.kill()
            // Who has come this far does not stand still; a program with much memory takes a while to be gone, and what
            // it leaves behind is to be ended too.
            kernelDeadline.set(nil)
        } else if let killTime, killTime <= now {
            process.signalGroup(SIGKILL)
        }
    }

    private func armTimer() {
        var next = UInt64.max
        let now = BootTime.now()
        // A time that has passed needs no timer: the kill is on its way, and the program's end is watched.
        for time in [deadline, killTime] { if let time, time > now { next = min(next, time.nanoseconds) } }
        var setting = itimerspec()
        if next != .max {
            setting.it_value.tv_sec = Int(next / 1_000_000_000)
            setting.it_value.tv_nsec = Int(next % 1_000_000_000)
        }
        timerfd_settime(timer, Int32(TFD_TIMER_ABSTIME), &setting, nil)
    }

    /// - Returns: false once the pipe has closed, or says what no runner says.
    private func takeCommands() -> Bool {
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = read(control, &chunk, chunk.count)
            if count == 0 { return false }
            if count < 0 {
                if errno == EINTR { continue }
                return errno == EAGAIN
            }
            decoder.append(chunk[..<count])
            do throws(SupervisorFrame.Malformed) {
                while let (kind, texts) = try decoder.next() {
                    guard obey(try SupervisorFrame.command(kind, texts)) else { return false }
                }
            } catch {
                return false
            }
        }
    }

    /// - Returns: false if there is nothing more to do.
    private func obey(_ command: SupervisorCommand) -> Bool {
        switch command {
        case .mask(let secrets):
            mask = SecretMask(secrets)
            tail = OutputTail(masking: mask)
        case .controlGroup(let group): self.group = group
        case .start(let program, let deadline):
            guard self.program == nil else { return false }
            self.program = program
            guard deadline > .now() else {
                report(.ended(ProgramEnd(status: .killed(signal: SIGKILL), cause: .deadline, output: "")))
                return false
            }
            self.deadline = deadline
            return start(program)
        case .deadline(let deadline):
            self.deadline = deadline
            report(.deadlineTaken(deadline))
        case .end(let grace):
            if cause == .itself { cause = .told }
            if grace > 0 { process?.signalGroup(SIGTERM) }
            let time = BootTime.now().advanced(byMilliseconds: grace)
            killTime = min(killTime ?? time, time)
        }
        return true
    }

    private func start(_ program: SupervisedProgram) -> Bool {
        do throws(SystemError) {
            process = try startProcess(program, in: group)
        } catch {
            group?.remove()
            report(.notStarted("The bot could not be started: \(error).", mayPass: error.mayPass))
            return false
        }
        report(.started(process: process!.id))
        return true
    }

    private func startProcess(
        _ program: SupervisedProgram, in group: ControlGroup? = nil
    ) throws(SystemError) -> ChildProcess {
        let path = try executablePath(program.words[0], searchPath: program.environment["PATH"] ?? "")
        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
        guard null >= 0 else { throw SystemError("open /dev/null") }
        defer { close(null) }
        var pipe: [Int32] = [-1, -1]
        guard pipe2(&pipe, O_CLOEXEC) == 0 else { throw SystemError("make a pipe") }
        defer { close(pipe[1]) }
        setNonBlocking(pipe[0])
        closeOutput()
        output = pipe[0]
        relay = program.showsOutput ? OutputRelay(masking: mask) : nil
        let entrance = group?.openEntrance() ?? -1
        defer { if entrance >= 0 { close(entrance) } }
        return try ChildProcess(
            starting: ChildProcess.Program(
                path: path, arguments: program.words, environment: program.environment,
                descriptors: [null, pipe[1], pipe[1]], parentDeathSignal: SIGKILL, controlGroup: entrance))
    }

    /// The pipe has closed: nobody renews the lease any more.
    private func abandon() {
        guard let process, let program else { return }
        process.signalGroup(SIGKILL)
        group?.kill()
        deadline = nil
        _ = process.stop(graceMilliseconds: 0)
        endRemains()
        cleanUp(program)
    }

    private func finish(_ status: ExitStatus) {
        // The program is gone; what is left to do may take longer.
        deadline = nil
        endRemains()
        if output >= 0 { readOutput() }
        closeOutput()
        if let program { cleanUp(program) }
        report(.ended(ProgramEnd(status: status, cause: cause, output: tail.text)))
    }

    // MARK: What the program leaves behind

    /// Kills what left the program's group: the program is gone, so all that is left of it are children of this process,
    /// and in the control group, if there is one.
    private func endRemains() {
        let limit = MonotonicTime.now().advanced(byMilliseconds: Self.remainsMilliseconds)
        // Who they are is looked for only if there are any: that takes a look at every process of the machine.
        while usher_has_children() != 0 || group?.isEmpty == false, MonotonicTime.now() < limit {
            group?.kill()
            for child in ProcessTable.children() ?? [] { kill(child, SIGKILL) }
            _ = waitUntilReadable([childSignals], deadline: .now().advanced(byMilliseconds: 10))
            reapOrphans(sparing: nil)
        }
        group?.remove()
    }

    /// Reaps processes that were left to this one.
    /// - Parameter program: the one that `ChildProcess` reaps.
    private func reapOrphans(sparing program: Int32?) {
        drain(childSignals)
        while true {
            let child = usher_ended_child()
            if child <= 0 || child == program { return }
            waitpid(child, nil, 0)
        }
    }

    private func cleanUp(_ program: SupervisedProgram) {
        guard !program.cleanUp.isEmpty else { return }
        var cleaner = program
        cleaner.words = program.cleanUp
        cleaner.showsOutput = true
        guard let process = startCleanUp(cleaner) else { return }
        let limit = MonotonicTime.now().advanced(byMilliseconds: Self.cleanUpMilliseconds)
        while process.exitStatus == nil, MonotonicTime.now() < limit {
            let watched = [process.exitDescriptor, output].filter { $0 >= 0 }
            if waitUntilReadable(watched, deadline: limit).contains(output) { readOutput() }
        }
        let isInTime = process.exitStatus != nil
        let status = process.stop(graceMilliseconds: 0)
        endRemains()
        if output >= 0 { readOutput() }
        closeOutput()
        if !isInTime {
            complain(of: cleaner, "took more than \(Self.cleanUpMilliseconds) ms, and was killed")
        } else if let status, status != .exited(code: 0) {
            complain(of: cleaner, "\(status)")
        }
    }

    /// - Returns: nil if it could not be started, also not a moment later.
    private func startCleanUp(_ cleaner: SupervisedProgram) -> ChildProcess? {
        let limit = MonotonicTime.now().advanced(byMilliseconds: Self.cleanUpMilliseconds)
        while true {
            do throws(SystemError) {
                return try startProcess(cleaner)
            } catch {
                guard error.mayPass, MonotonicTime.now() < limit else {
                    complain(of: cleaner, "could not be started (\(error))")
                    return nil
                }
                usleep(Self.retryMicroseconds)
            }
        }
    }

    /// What it was to end may still be in its meeting.
    private func complain(of cleaner: SupervisedProgram, _ whatHappened: String) {
        let command = cleaner.words.joined(separator: " ")
        LineWriter.standardError.write(Array("usher: the clean-up after a bot (\(command)) \(whatHappened)\n".utf8))
    }

    // MARK: Pipes

    private func readOutput() {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let count = read(output, &chunk, chunk.count)
        if count > 0 {
            if relay == nil { tail.append(chunk[..<count]) }
            relay?.append(chunk[..<count])
        } else if count == 0 {
            closeOutput()
        }
    }

    private func closeOutput() {
        relay?.finish()
        if output >= 0 { close(output) }
        output = -1
    }

    private func report(_ report: SupervisorReport) {
        var rest = SupervisorFrame.encode(report)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(reports, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN, case .ended = report {
                // Nothing is left to be watched, so the last report may wait for as long as there is a reader.
                var entry = pollfd(fd: reports, events: Int16(POLLOUT), revents: 0)
                poll(&entry, 1, -1)
            } else if errno != EINTR {
                return
            }
        }
    }

    private func drain(_ descriptor: Int32) {
        var bytes = [UInt8](repeating: 0, count: 1_024)
        while read(descriptor, &bytes, bytes.count) > 0 {}
    }
}

private func setNonBlocking(_ descriptor: Int32) {
    _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
}

/// The file that a shell would run for a program's name.
func executablePath(_ name: String, searchPath: String) throws(SystemError) -> String {
    if name.utf8.contains(UInt8(ascii: "/")) { return name }
    for folder in searchPath.split(separator: ":") {
        let path = "\(folder)/\(name)"
        if access(path, X_OK) == 0 { return path }
    }
    throw SystemError("find \(name) in PATH", code: ENOENT)
}
