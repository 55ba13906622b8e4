import Processes

/// What a supervisor is told to run.
struct SupervisedProgram: Equatable, Sendable {
    /// The program, looked up in the environment's PATH if it has no slash, then its arguments.
    var words: [String]
    var environment: [String: String]
    /// Run after the program has ended, however it did: for what outlives the process, such as a container. Empty for
    /// nothing.
    var cleanUp: [String] = []
    /// Whether its output goes to the runner's standard error, instead of its end being kept.
    var showsOutput = false
}

/// From the runner to a supervisor.
enum SupervisorCommand: Equatable, Sendable {
    /// Secrets that the program's output is kept without. To be sent before the start; runners of earlier versions, which
    /// may have started this supervisor, send none.
    case mask([String])
    /// The control group that the program is to be in. To be sent before the start, if there is one.
    case controlGroup(ControlGroup)
    /// To be sent once.
    case start(SupervisedProgram, deadline: BootTime)
    case deadline(BootTime)
    /// SIGTERM to the group, then SIGKILL after the grace; with a grace of 0, SIGKILL at once.
    case end(graceMilliseconds: Int)
}

/// From a supervisor to the runner.
enum SupervisorReport: Equatable, Sendable {
    /// The process id, which is also its group's.
    case started(process: Int32)
    /// A sentence that says why the program does not run, and whether it may a moment later. Nothing follows.
    case notStarted(String, mayPass: Bool)
    /// The supervisor goes by this deadline now.
    case deadlineTaken(BootTime)
    /// The program and everything that it started are gone. Nothing follows.
    case ended(ProgramEnd)
}

/// How a supervised program ended.
struct ProgramEnd: Equatable, Sendable {
    enum Cause: String, Sendable {
        /// By itself, or by a signal that was not the supervisor's.
        case itself
        case deadline
        /// It was told to end by the runner.
        case told
    }

    var status: ExitStatus
    var cause: Cause
    /// The last lines of its output, without secrets: valid UTF-8 without NUL.
    var output: String
}

/// Messages on the pipes between runner and supervisor: a letter for the kind, the length of the rest as four bytes,
/// most significant first, and the rest: texts, each ended by a NUL, which none of them can hold.
enum SupervisorFrame {
    /// A new pipe takes this much at once, so the first message is never cut (pipe(7): 65,536 bytes).
    static let maximumBytes = 60_000

    struct Malformed: Error {}

    static func encode(_ command: SupervisorCommand) -> [UInt8] {
        switch command {
        case .mask(let secrets): frame("m", secrets)
        case .controlGroup(let group): frame("g", [group.path])
        case .start(let program, let deadline):
            frame(
                "s",
                [
                    String(deadline.nanoseconds), program.showsOutput ? "1" : "0", String(program.words.count),
                    String(program.cleanUp.count),
                ] + program.words + program.cleanUp + program.environment.map { "\($0.key)=\($0.value)" })
        case .deadline(let deadline): frame("d", [String(deadline.nanoseconds)])
        case .end(let grace): frame("e", [String(grace)])
        }
    }

    static func encode(_ report: SupervisorReport) -> [UInt8] {
        switch report {
        case .started(let process): frame("S", [String(process)])
        case .notStarted(let reason, let mayPass): frame(mayPass ? "P" : "N", [reason])
        case .deadlineTaken(let deadline): frame("D", [String(deadline.nanoseconds)])
        case .ended(let end):
            switch end.status {
            case .exited(let code): frame("E", ["exit", String(code), end.cause.rawValue, end.output])
            case .killed(let signal): frame("E", ["signal", String(signal), end.cause.rawValue, end.output])
            }
        }
    }

    private static func frame(_ kind: Unicode.Scalar, _ texts: [String]) -> [UInt8] {
        var payload: [UInt8] = []
        for text in texts {
            payload += text.utf8
            payload.append(0)
        }
        var frame = [UInt8(ascii: kind)]
        for shift in [24, 16, 8, 0] { frame.append(UInt8(truncatingIfNeeded: payload.count >> shift)) }
        return frame + payload
    }

    static func command(_ kind: UInt8, _ texts: [String]) throws(Malformed) -> SupervisorCommand {
        switch (kind, texts.count) {
        case (UInt8(ascii: "m"), _): return .mask(texts)
        case (UInt8(ascii: "g"), 1): return .controlGroup(ControlGroup(path: texts[0]))
        case (UInt8(ascii: "s"), 4...):
            guard let deadline = UInt64(texts[0]), let words = Int(texts[2]), let cleanUp = Int(texts[3]), words > 0,
                cleanUp >= 0, words <= texts.count, cleanUp <= texts.count, 4 + words + cleanUp <= texts.count
            else { throw Malformed() }
            var environment: [String: String] = [:]
            for variable in texts[(4 + words + cleanUp)...] {
                guard let sign = variable.firstIndex(of: "=") else { throw Malformed() }
                environment[String(variable[..<sign])] = String(variable[variable.index(after: sign)...])
            }
            let program = SupervisedProgram(
                words: Array(texts[4..<4 + words]), environment: environment,
                cleanUp: Array(texts[(4 + words)..<(4 + words + cleanUp)]), showsOutput: texts[1] == "1")
            return .start(program, deadline: BootTime(nanoseconds: deadline))
        case (UInt8(ascii: "d"), 1):
            guard let deadline = UInt64(texts[0]) else { throw Malformed() }
            return .deadline(BootTime(nanoseconds: deadline))
        case (UInt8(ascii: "e"), 1):
            guard let grace = Int(texts[0]), grace >= 0 else { throw Malformed() }
            return .end(graceMilliseconds: grace)
        default: throw Malformed()
        }
    }

    static func report(_ kind: UInt8, _ texts: [String]) throws(Malformed) -> SupervisorReport {
        switch (kind, texts.count) {
        case (UInt8(ascii: "S"), 1):
            guard let process = Int32(texts[0]) else { throw Malformed() }
            return .started(process: process)
        case (UInt8(ascii: "N"), 1): return .notStarted(texts[0], mayPass: false)
        case (UInt8(ascii: "P"), 1): return .notStarted(texts[0], mayPass: true)
        case (UInt8(ascii: "D"), 1):
            guard let deadline = UInt64(texts[0]) else { throw Malformed() }
            return .deadlineTaken(BootTime(nanoseconds: deadline))
        case (UInt8(ascii: "E"), 4):
            guard let number = Int32(texts[1]), let cause = ProgramEnd.Cause(rawValue: texts[2]) else {
                throw Malformed()
            }
            let status: ExitStatus = texts[0] == "exit" ? .exited(code: number) : .killed(signal: number)
            return .ended(ProgramEnd(status: status, cause: cause, output: texts[3]))
        default: throw Malformed()
        }
    }
}

/// Puts messages together from what a pipe gives.
struct SupervisorFrameDecoder {
    private var buffer: [UInt8] = []

    mutating func append(_ bytes: some Sequence<UInt8>) {
        buffer.append(contentsOf: bytes)
    }

    /// The next whole message: its kind and texts.
    mutating func next() throws(SupervisorFrame.Malformed) -> (kind: UInt8, texts: [String])? {
        guard buffer.count >= 5 else { return nil }
        let length = buffer[1..<5].reduce(0) { $0 << 8 | Int($1) }
        guard length <= SupervisorFrame.maximumBytes else { throw SupervisorFrame.Malformed() }
        guard buffer.count >= 5 + length else { return nil }
        let kind = buffer[0]
        let texts = buffer[5..<5 + length].split(separator: 0, omittingEmptySubsequences: false).dropLast()
            .map { String(decoding: $0, as: UTF8.self) }
        buffer.removeFirst(5 + length)
        return (kind, texts)
    }
}
