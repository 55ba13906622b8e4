import CLinux
import EventLoop
import Foundation
import Processes
import RedisTestSupport
import Synchronization
import TestTurns
import Testing

@testable import Runner

/// Against real supervisors and shells. Waiting deadlines are generous: they only bound a test that fails.
@Suite(.takesTurns) struct SupervisorTests {
    @Test func aProgramThatEndsIsReportedWithItsExitCodeAndLastLines() async throws {
        let events = try await life(of: shell("echo one; echo two >&2; exit 3"))
        #expect(events.count == 2)
        #expect(events.last == ended(.exited(code: 3), "one\ntwo"))
    }

    @Test func aSignalIsToldApartFromAnExitCode() async throws {
        #expect(try await life(of: shell("kill -SEGV $$")).last == ended(.killed(signal: SIGSEGV), ""))
    }

    @Test func aMissingProgramIsOneClearReason() async throws {
        var program = shell("")
        program.words = ["no-such-bot"]
        let missing = Event.report(
            .notStarted(
                "The bot could not be started: find no-such-bot in PATH: No such file or directory.", mayPass: false))
        #expect(try await life(of: program) == [missing])
        program.words = ["/etc/passwd"]
        let plain = Event.report(
            .notStarted("The bot could not be started: execute /etc/passwd: Permission denied.", mayPass: false))
        #expect(try await life(of: program) == [plain])
    }

    @Test(arguments: [
        (4, "make timers"), (5, "open /dev/null"), (6, "make a pipe"),
    ])
    func aShortageIsToldAsWhatMayPass(descriptors: Int, step: String) async throws {
        let supervised = try await Supervised(
            shell("exit 3"), by: Binary.supervisor(withDescriptors: descriptors))
        let reason = "The bot could not be started: \(step): Too many open files."
        #expect(try await supervised.last() == .report(.notStarted(reason, mayPass: true)))
        #expect(await supervised.events.count == 1)
    }

    @Test func theProgramGetsItsEnvironmentAndNothingElse() async throws {
        var program = shell("env | sort; read x || echo no input")
        program.environment["VEXA_BOT_CONFIG"] = "{\"a\": \"b\nc\"}"
        let text = try #require(try await output(of: program))
        #expect(text.contains("VEXA_BOT_CONFIG={\"a\": \"b\nc\"}"))
        #expect(!text.contains("USHER"))
        #expect(text.hasSuffix("no input"))
    }

    @Test func aDeadlineEndsTheWholeTreeAndWhatLeftTheGroup() async throws {
        let file = try TemporaryFolder.make().appendingPathComponent("pids")
        let script =
            "sleep 600 & echo $! >>\(file.path); setsid sh -c 'echo $$ >>\(file.path); exec sleep 600' & sleep 600"
        let supervised = try await Supervised(shell(script), by: Binary.patientSupervisor)
        try await waitFor("both children run") { numbers(in: file).count == 2 }
        // It lies ahead, so that the supervisor must wake up for it.
        let deadline = BootTime.now().advanced(byMilliseconds: 200)
        await supervised.send(.deadline(deadline))
        #expect(try await supervised.last() == ended(.killed(signal: SIGKILL), "", .deadline))
        #expect(BootTime.now() > deadline)
        #expect(numbers(in: file).filter(exists).isEmpty)
    }

    /// The kernel, which ends a supervisor that stands still, leaves it what this takes. A machine that is busy may keep
    /// the supervisor from its work until the kernel steps in, and rightly so: then it is tried again.
    @Test func aProgramThatTakesLongToBeGoneIsCleanedUpAfter() async throws {
        for _ in 0..<10 {
            let clean = try TemporaryFolder.make().appendingPathComponent("clean")
            let supervised = try await Supervised(shell("exec sleep 600", cleanUp: ["touch", clean.path]))
            let process = try HeldProcess(try await supervised.started())
            let deadline = BootTime.now()
            await supervised.send(.deadline(deadline))
            try await waitFor("it is killed") { process.hasEnded }
            // Many times what the kernel leaves a supervisor that stands still.
            try await waitFor("a second has passed") { BootTime.now() > deadline.advanced(byMilliseconds: 1_000) }
            process.letGo()
            let last = try await supervised.last()
            if last == .vanished { continue }
            #expect(last == ended(.killed(signal: SIGKILL), "", .deadline))
            #expect(FileManager.default.fileExists(atPath: clean.path))
            return
        }
        Issue.record("the kernel was always faster than the supervisor")
    }

    @Test func aDeadlineThatIsExtendedIsKept() async throws {
        // On a machine that is too busy to extend the first deadline in time, a later one is tried.
        for milliseconds in [3_000, 30_000, 300_000] {
            let supervised = try await Supervised(shell("sleep 600"), milliseconds: milliseconds)
            let first = BootTime.now().advanced(byMilliseconds: milliseconds)
            let later = BootTime.now().advanced(byMilliseconds: 3_600_000)
            await supervised.send(.deadline(later))
            try await supervised.wait(for: "the deadline is taken, or the first one has passed") { events in
                events.contains(.report(.deadlineTaken(later))) || events.contains { ends($0) }
            }
            guard await supervised.events.contains(.report(.deadlineTaken(later))) else { continue }
            try await waitFor("the first deadline has passed") { BootTime.now() > first }
            await supervised.send(.end(graceMilliseconds: 0))
            #expect(try await supervised.last() == ended(.killed(signal: SIGKILL), "", .told))
            return
        }
        Issue.record("no deadline was extended in time")
    }

    @Test func aProgramIsNotStartedAfterItsDeadline() async throws {
        let file = try TemporaryFolder.make().appendingPathComponent("started")
        let supervised = try await Supervised(shell("touch \(file.path)"), milliseconds: -1)
        #expect(try await supervised.last() == ended(.killed(signal: SIGKILL), "", .deadline))
        #expect(!FileManager.default.fileExists(atPath: file.path))
    }

    @Test func endingIsSIGTERMThenSIGKILL() async throws {
        let polite = try await Supervised(shell("trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done"))
        try await polite.started()
        await polite.send(.end(graceMilliseconds: 60_000))
        // The trap may not have been set yet.
        guard case .report(.ended(let end)) = try await polite.last() else {
            Issue.record("no end")
            return
        }
        #expect(end.cause == .told)
        #expect(end.status == .exited(code: 0) || end.status == .killed(signal: SIGTERM))

        let file = try TemporaryFolder.make().appendingPathComponent("pid")
        let stubborn = try await Supervised(shell("trap '' TERM; echo $$ >\(file.path); while :; do sleep 0.05; done"))
        try await waitFor("SIGTERM is ignored") { numbers(in: file).count == 1 }
        await stubborn.send(.end(graceMilliseconds: 100))
        #expect(try await stubborn.last() == ended(.killed(signal: SIGKILL), "", .told))
    }

    @Test func whoIsToldToEndTwiceGetsTheShorterTime() async throws {
        for (first, second) in [(100, 3_600_000), (3_600_000, 100)] {
            let file = try TemporaryFolder.make().appendingPathComponent("pid")
            let stubborn = try await Supervised(
                shell("trap '' TERM; echo $$ >\(file.path); while :; do sleep 0.05; done"))
            try await waitFor("SIGTERM is ignored") { numbers(in: file).count == 1 }
            for grace in [first, second] { await stubborn.send(.end(graceMilliseconds: grace)) }
            #expect(try await stubborn.last() == ended(.killed(signal: SIGKILL), "", .told))
        }
    }

    /// An end that was asked for is none the later for a lease that is renewed, nor a lease for an end.
    @Test func anEndAndADeadlineDoNotPutEachOtherOff() async throws {
        let program = shell("trap '' TERM; echo up; while :; do sleep 0.05; done")
        let told = try await Supervised(program, by: Binary.patientSupervisor)
        try await told.started()
        await told.send(.end(graceMilliseconds: 100))
        await told.send(.deadline(.now().advanced(byMilliseconds: 7_200_000)))
        guard case .report(.ended(let end)) = try await told.last() else { throw TestServerError("no end") }
        #expect(end.cause == .told)
        let expired = try await Supervised(program, by: Binary.patientSupervisor)
        try await expired.started()
        await expired.send(.end(graceMilliseconds: 3_600_000))
        await expired.send(.deadline(.now()))
        guard case .report(.ended(let end)) = try await expired.last() else { throw TestServerError("no end") }
        // SIGTERM may have come before the trap was set.
        #expect(end.cause == .deadline || end.status == .killed(signal: SIGTERM))
    }

    @Test func secretsAreTakenOutOfTheOutputBeforeItIsCut() async throws {
        let secret = String(repeating: "0123456789abcdef", count: 4)
        let program = shell("printf %s \(secret); head -c 4069 /dev/zero | tr '\\0' x")
        let supervised = try await Supervised(program, masking: [secret])
        guard case .report(.ended(let end)) = try await supervised.last() else {
            Issue.record("no end")
            return
        }
        #expect(end.output == "***" + String(repeating: "x", count: 4_069))
    }

    @Test func aClosedPipeEndsEverything() async throws {
        let file = try TemporaryFolder.make().appendingPathComponent("pids")
        // What a runner that is killed leaves: its supervisor with a pipe that has closed.
        let runner = try Spawned(shell("echo $$ >>\(file.path); sleep 600 & echo $! >>\(file.path); wait"))
        try await waitFor("the program runs") { numbers(in: file).count == 2 }
        runner.closePipe()
        #expect(!exists(runner.id))
        try await waitFor("all is gone") { numbers(in: file).filter(exists).isEmpty }
    }

    /// Nobody is left who could run a line of code when the deadline passes.
    @Test(arguments: [false, true])
    func theKernelEndsAProgramWhoseSupervisorIsStoppedToo(stopsProgram: Bool) async throws {
        // On a machine that is too busy to stop the supervisor in time, a later deadline is tried.
        for milliseconds in [1_000, 10_000, 100_000] {
            let supervised = try await Supervised(shell("exec sleep 600"))
            let process = try await supervised.started()
            let deadline = BootTime.now().advanced(byMilliseconds: milliseconds)
            await supervised.send(.deadline(deadline))
            try await supervised.wait(for: "the deadline is taken, or has passed") { events in
                events.contains(.report(.deadlineTaken(deadline))) || events.contains { ends($0) }
            }
            if stopsProgram { kill(process, SIGSTOP) }
            kill(await supervised.supervisor, SIGSTOP)
            guard BootTime.now() < deadline else {
                kill(await supervised.supervisor, SIGCONT)
                _ = try await supervised.last()
                continue
            }
            try await waitFor("the program is gone") { !exists(process) }
            #expect(BootTime.now() > deadline)
            #expect(try await supervised.last() == .vanished)
            return
        }
        Issue.record("no supervisor was stopped in time")
    }

    @Test func aStoppedProgramIsEndedToo() async throws {
        let supervised = try await Supervised(shell("kill -STOP $$"), by: Binary.patientSupervisor)
        try await supervised.started()
        await supervised.send(.deadline(.now()))
        #expect(try await supervised.last() == ended(.killed(signal: SIGKILL), "", .deadline))
    }

    @Test func aKilledSupervisorTakesItsProgramWithIt() async throws {
        let supervised = try await Supervised(shell("exec sleep 600"))
        let process = try await supervised.started()
        kill(await supervised.supervisor, SIGKILL)
        #expect(try await supervised.last() == .vanished)
        try await waitFor("the program is gone") { !exists(process) }
    }

    @Test(arguments: [SIGTERM, SIGINT, SIGHUP])
    func signalsToEverybodyAreTheRunnersBusiness(signal: Int32) async throws {
        let supervised = try await Supervised(shell("sleep 600"))
        try await supervised.started()
        kill(await supervised.supervisor, signal)
        let later = BootTime.now().advanced(byMilliseconds: 3_600_000)
        await supervised.send(.deadline(later))
        try await supervised.wait(for: "it works on") { $0.contains(.report(.deadlineTaken(later))) }
        await supervised.send(.end(graceMilliseconds: 0))
        #expect(try await supervised.last() == ended(.killed(signal: SIGKILL), "", .told))
    }

    @Test(arguments: ["exit 0", "kill -KILL $$", "sleep 600"])
    func theCleanUpRunsHoweverTheProgramEnded(script: String) async throws {
        let file = try TemporaryFolder.make().appendingPathComponent("cleaned")
        let supervised = try await Supervised(
            shell(script, cleanUp: ["touch", file.path]), by: Binary.patientSupervisor)
        if script.hasPrefix("sleep") {
            try await supervised.started()
            await supervised.send(.deadline(.now()))
        }
        _ = try await supervised.last()
        #expect(FileManager.default.fileExists(atPath: file.path))
    }

    @Test func muchOutputIsReadAndItsEndKept() async throws {
        let text = try #require(try await output(of: shell("seq 1 200000; echo done")))
        #expect(text.hasSuffix("\n200000\ndone"))
        #expect(text.utf8.count <= 4_096)
    }

    @Test func leftChildrenAreReapedWhileTheProgramRuns() async throws {
        let file = try TemporaryFolder.make().appendingPathComponent("pids")
        let script = "for n in 1 2 3; do (sh -c 'echo $$ >>\(file.path)' &) ; done; exec sleep 600"
        let supervised = try await Supervised(shell(script))
        try await waitFor("all have ended and are gone") {
            numbers(in: file).count == 3 && numbers(in: file).filter(exists).isEmpty
        }
        await supervised.send(.end(graceMilliseconds: 0))
        _ = try await supervised.last()
    }

    /// A bot holds its supervisor's handle, whose events are about the bot: for ever, if nobody lets go, and with it the
    /// pipes of every bot that ever was.
    @Test func anEndedSupervisorLetsGoOfItsOwner() async throws {
        final class Owner {
            var supervisor: SupervisorHandle?
            var events = 0
        }
        let loop = try EventLoop(name: "test")
        try loop.start()
        defer {
            loop.stop()
            loop.join()
        }
        let program = shell("exit 0")
        // `nonisolated(unsafe)`: touched on the loop's thread alone.
        nonisolated(unsafe) weak var weakOwner: Owner?
        try await Task(executorPreference: loop) {
            let owner = Owner()
            weakOwner = owner
            let deadline = BootTime.now().advanced(byMilliseconds: 3_600_000)
            owner.supervisor = try SupervisorHandle(
                Binary.supervisor, running: program, deadline: deadline, loop: loop
            ) { _ in owner.events += 1 }
        }.value
        try await waitFor("the owner is gone") { await Task(executorPreference: loop) { weakOwner == nil }.value }
    }

    // MARK: Helpers

    private typealias Event = SupervisorHandle.Event

    private func ended(
        _ status: Processes.ExitStatus, _ output: String, _ cause: ProgramEnd.Cause = .itself
    ) -> Event {
        .report(.ended(ProgramEnd(status: status, cause: cause, output: output)))
    }

    private func ends(_ event: Event) -> Bool {
        if case .report(.ended) = event { true } else { false }
    }

    private func life(of program: SupervisedProgram) async throws -> [Event] {
        let supervised = try await Supervised(program)
        _ = try await supervised.last()
        return await supervised.events
    }

    private func output(of program: SupervisedProgram) async throws -> String? {
        guard case .report(.ended(let end)) = try await life(of: program).last else { return nil }
        return end.output
    }
}

/// A supervisor whose pipe the test holds itself.
private final class Spawned {
    let id: Int32
    private let process: ChildProcess
    private let input: Int32

    init(_ program: SupervisedProgram) throws {
        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(null) }
        // Closed on exec: the servers that other tests start at the same time must not hold its end.
        var pipe: [Int32] = [-1, -1]
        guard pipe2(&pipe, O_CLOEXEC) == 0 else { throw SystemError("pipe2") }
        defer { close(pipe[0]) }
        input = pipe[1]
        process = try ChildProcess(
            starting: ChildProcess.Program(
                path: Binary.path, arguments: ["usher", "supervise"], environment: [:],
                descriptors: [pipe[0], null, STDERR_FILENO], parentDeathSignal: nil))
        id = process.id
        let deadline = BootTime.now().advanced(byMilliseconds: 3_600_000)
        let frame = SupervisorFrame.encode(.start(program, deadline: deadline))
        // Far less than a pipe holds, so one write takes it all.
        guard write(input, frame, frame.count) == frame.count else { throw SystemError("write") }
    }

    func closePipe() {
        close(input)
        _ = process.waitForExit(deadline: .now().advanced(byMilliseconds: 60_000))
    }
}
