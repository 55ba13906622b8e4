import CLinux
import EventLoop
import Glibc
import Processes

/// The runner's end of one supervisor. Belongs to the thread of its loop.
///
/// If this process ends in whatever way, the kernel closes the pipe, and the supervisor ends its program.
final class SupervisorHandle {
    enum Event: Equatable {
        case report(SupervisorReport)
        /// The supervisor ended without a last report: its program may run on. Nothing follows.
        case vanished
    }

    private let process: ChildProcess
    private let control: Int32
    private let reports: Int32
    private var decoder = SupervisorFrameDecoder()
    private var unsent: [UInt8] = []
    private var controlRegistration: Registration?
    private var reportRegistration: Registration?
    private var exitRegistration: Registration?
    private var hasLastReport = false
    /// Let go after the last event: what it holds often holds this handle, and with it three descriptors.
    private var onEvent: ((Event) -> Void)?

    /// The supervisor's own.
    var id: Int32 { process.id }

    /// Starts a supervisor with what it is to run.
    /// - Parameters:
    ///   - supervisor: the program and its arguments.
    ///   - secrets: which the program may write, and which are not to be kept of it.
    ///   - group: the control group that it is to be in, and that is removed after it; nil for the supervisor's.
    ///   - onEvent: called on the loop's thread, never before this returns.
    /// - Throws: `SystemError`; then nothing has been started.
    init(
        _ supervisor: [String], running program: SupervisedProgram, masking secrets: [String] = [],
        in group: ControlGroup? = nil, deadline: BootTime, loop: EventLoop, onEvent: @escaping (Event) -> Void
    ) throws {
        let message =
            SupervisorFrame.encode(.mask(secrets)) + (group.map { SupervisorFrame.encode(.controlGroup($0)) } ?? [])
            + SupervisorFrame.encode(.start(program, deadline: deadline))
        guard message.count <= SupervisorFrame.maximumBytes else {
            throw SystemError("hand \(message.count) bytes to a supervisor", code: E2BIG)
        }
        let (controlRead, controlWrite) = try Self.pipe()
        defer { close(controlRead) }
        let (reportRead, reportWrite): (Int32, Int32)
        do {
            (reportRead, reportWrite) = try Self.pipe()
        } catch {
            close(controlWrite)
            throw error
        }
        defer { close(reportWrite) }
        do {
            process = try ChildProcess(
                starting: ChildProcess.Program(
                    path: supervisor[0], arguments: ["usher"] + supervisor.dropFirst(), environment: [:],
                    descriptors: [controlRead, reportWrite, STDERR_FILENO], parentDeathSignal: nil))
        } catch {
            close(controlWrite)
            close(reportRead)
            throw error
        }
        control = controlWrite
        reports = reportRead
        self.onEvent = onEvent
        for descriptor in [control, reports] {
            _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        }
        do {
            // The handlers keep this object alive until the supervisor has ended.
            reportRegistration = try loop.register(
                reports, interest: .readable, handler: Handler { self.readReports() })
            exitRegistration = try loop.register(
                process.exitDescriptor, interest: .readable, handler: Handler { self.hasEnded() })
            controlRegistration = try loop.register(control, interest: [], handler: Handler { self.flush() })
        } catch {
            cancelRegistrations()
            throw error
        }
        unsent = message
        flush()
    }

    deinit {
        close(control)
        close(reports)
    }

    /// Sends a command. It is dropped if much is unsent: then the supervisor has read nothing for a long time, and the
    /// lease is not renewed for it.
    func send(_ command: SupervisorCommand) {
        guard unsent.count < SupervisorFrame.maximumBytes else { return }
        unsent += SupervisorFrame.encode(command)
        flush()
    }

    /// Kills a supervisor that does not do its work. Its program's first process ends with it.
    func kill() {
        process.signalGroup(SIGKILL)
    }

    private func flush() {
        while !unsent.isEmpty {
            let count = unsent.withUnsafeBytes { write(control, $0.baseAddress, $0.count) }
            if count > 0 {
                unsent.removeFirst(count)
            } else if errno == EAGAIN {
                break
            } else if errno != EINTR {
                // The supervisor is gone; its end is told by another descriptor.
                unsent = []
            }
        }
        controlRegistration?.update(interest: unsent.isEmpty ? [] : .writable)
    }

    private static func pipe() throws(SystemError) -> (read: Int32, write: Int32) {
        var ends: [Int32] = [-1, -1]
        guard pipe2(&ends, O_CLOEXEC) == 0 else { throw SystemError("make a pipe") }
        return (ends[0], ends[1])
    }

    // MARK: Events

    private func readReports() {
        var chunk = [UInt8](repeating: 0, count: 8_192)
        while true {
            let count = read(reports, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            if count == 0 { reportRegistration?.cancel() }
            guard count > 0 else { break }
            decoder.append(chunk[..<count])
        }
        while let (kind, texts) = try? decoder.next(), let report = try? SupervisorFrame.report(kind, texts) {
            switch report {
            case .ended, .notStarted: hasLastReport = true
            case .started, .deadlineTaken: break
            }
            onEvent?(.report(report))
        }
    }

    private func hasEnded() {
        guard process.exitStatus != nil else { return }
        readReports()
        cancelRegistrations()
        if !hasLastReport { onEvent?(.vanished) }
        onEvent = nil
    }

    private func cancelRegistrations() {
        for registration in [controlRegistration, reportRegistration, exitRegistration] { registration?.cancel() }
    }

    private final class Handler: DescriptorHandler {
        private let body: () -> Void

        init(_ body: @escaping () -> Void) {
            self.body = body
        }

        func ready(_ readiness: Readiness) {
            body()
        }
    }
}
