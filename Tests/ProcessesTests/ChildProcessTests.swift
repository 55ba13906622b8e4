import EventLoop
import Foundation
import TestTurns
import Testing

@testable import Processes

/// Against real shells. Deadlines are generous: they only bound a test that fails.
@Suite(.takesTurns) struct ChildProcessTests {
    @Test(arguments: [0, 1, 42, 255] as [Int32])
    func theExitCodeIsReported(code: Int32) throws {
        let child = try ChildProcess(starting: shell("exit \(code)"))
        #expect(child.waitForExit(deadline: soon()) == .exited(code: code))
        #expect(child.exitStatus == .exited(code: code))
    }

    @Test func aSignalIsReportedAndNoZombieIsLeft() throws {
        let child = try ChildProcess(starting: shell("exec sleep 600"))
        #expect(child.exitStatus == nil)
        child.signalGroup(SIGKILL)
        #expect(child.waitForExit(deadline: soon()) == .killed(signal: SIGKILL))
        #expect(kill(child.id, 0) == -1 && errno == ESRCH)
    }

    @Test func aProgramThatIsMissingOrNotExecutableIsAnErrorAtOnce() throws {
        let missing = #expect(throws: SystemError.self) {
            try ChildProcess(starting: program("/nowhere/program", []))
        }
        #expect(missing?.code == ENOENT)
        #expect(missing?.operation == "execute /nowhere/program")
        let plain = #expect(throws: SystemError.self) { try ChildProcess(starting: program("/etc/passwd", [])) }
        #expect(plain?.code == EACCES)
        var elsewhere = shell("exit 0")
        elsewhere.directory = "/nowhere"
        let folder = #expect(throws: SystemError.self) { try ChildProcess(starting: elsewhere) }
        #expect(folder?.operation == "go to folder /nowhere")
        var cut = shell("exit 0")
        cut.environment["A"] = "b\0c"
        #expect(throws: SystemError.self) { try ChildProcess(starting: cut) }
    }

    @Test func theProgramGetsItsEnvironmentFolderAndDescriptorsAndNothingElse() throws {
        let input = Pipe()
        let output = Pipe()
        let extra = Pipe()
        var script = shell(
            """
            read line; echo "$line $ONLY $HOME $(pwd)"; echo three >&3
            n=0; while [ $n -lt 200 ]; do [ -e /proc/self/fd/$n ] && echo $n; n=$((n + 1)); done; exit 0
            """)
        script.environment = ["ONLY": "this", "PATH": "/usr/bin:/bin"]
        script.directory = "/usr"
        // Listed so that targets and sources overlap as far as the numbers allow.
        script.descriptors = [
            input.fileHandleForReading, output.fileHandleForWriting, output.fileHandleForWriting,
            extra.fileHandleForWriting,
        ].map(\.fileDescriptor)
        // Not close-on-exec, and must not reach the child all the same.
        let stray = dup(0)
        defer { close(stray) }
        let child = try ChildProcess(starting: script)
        input.fileHandleForWriting.write(Data("hello\n".utf8))
        #expect(child.waitForExit(deadline: soon()) == .exited(code: 0))
        try output.fileHandleForWriting.close()
        try extra.fileHandleForWriting.close()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let words = text.split(whereSeparator: \.isWhitespace)
        #expect(words == ["hello", "this", "/usr", "0", "1", "2", "3"])
        #expect(String(decoding: extra.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self) == "three\n")
    }

    @Test func whatTheParentIgnoresTheChildDoesNot() throws {
        ProcessLimits.ignoreBrokenPipes()
        let child = try ChildProcess(starting: shell("kill -PIPE $$; exit 7"))
        #expect(child.waitForExit(deadline: soon()) == .killed(signal: SIGPIPE))
    }

    @Test func stoppingEndsTheWholeGroup() throws {
        let (child, grandchild) = try withGrandchild("sleep 600 & echo $!; wait")
        #expect(child.stop(graceMilliseconds: 60_000) == .killed(signal: SIGTERM))
        try waitUntilGone(grandchild)
    }

    @Test func aGroupThatRefusesToEndIsKilled() throws {
        let (child, grandchild) = try withGrandchild(
            "trap '' TERM; (trap '' TERM; while :; do sleep 1; done) & echo $!; while :; do sleep 1; done")
        #expect(child.stop(graceMilliseconds: 50) == .killed(signal: SIGKILL))
        try waitUntilGone(grandchild)
    }

    /// It ends by itself once it has been asked to, and has got what it needs for that.
    @Test func aProcessHasItsGrace() throws {
        let (input, output) = (Pipe(), Pipe())
        var program = shell(
            "trap 'echo asked; read line; exit 7' TERM; echo ready; while :; do sleep 0.05; done")
        program.descriptors[0] = input.fileHandleForReading.fileDescriptor
        program.descriptors[1] = output.fileHandleForWriting.fileDescriptor
        let child = try ChildProcess(starting: program)
        #expect(output.fileHandleForReading.availableData == Data("ready\n".utf8))
        let (answer, question) = (input.fileHandleForWriting, output.fileHandleForReading)
        Thread.detachNewThread {
            _ = question.availableData
            answer.write(Data("go\n".utf8))
        }
        #expect(child.stop(graceMilliseconds: 60_000) == .exited(code: 7))
    }

    /// The first process does not care for the signal: it ends when the other one has.
    @Test func aSignalReachesTheWholeGroup() throws {
        let output = Pipe()
        var program = shell(
            """
            (trap 'exit 0' TERM; echo ready; sleep 600 & wait) &
            trap '' TERM; echo ready; wait; exit 5
            """)
        program.descriptors[1] = output.fileHandleForWriting.fileDescriptor
        let child = try ChildProcess(starting: program)
        var said = Data()
        while said.count < 2 * "ready\n".utf8.count { said += output.fileHandleForReading.availableData }
        child.signalGroup(SIGTERM)
        #expect(child.waitForExit(deadline: soon()) == .exited(code: 5))
    }

    @Test func theGroupEndsWithItsLeader() throws {
        let (child, grandchild) = try withGrandchild("sleep 600 & echo $!; exit 3")
        #expect(child.waitForExit(deadline: soon()) == .exited(code: 3))
        try waitUntilGone(grandchild)
    }

    @Test func aDroppedChildIsEndedAndReaped() throws {
        var child: ChildProcess? = try ChildProcess(starting: shell("exec sleep 600"))
        let id = try #require(child?.id)
        child = nil
        #expect(kill(id, 0) == -1 && errno == ESRCH)
    }

    /// What makes the children of a killed `usher up` end: the signal is bound to the thread that started them.
    @Test func aChildEndsWithTheThreadThatStartedIt() throws {
        final class Holder: @unchecked Sendable {  // Handed over once, by way of the semaphore.
            var child: Result<ChildProcess, any Error>?
        }
        let holder = Holder()
        let started = DispatchSemaphore(value: 0)
        let thread = Thread {
            var program = shell("exec sleep 600")
            program.parentDeathSignal = SIGTERM
            holder.child = Result { try ChildProcess(starting: program) }
            started.signal()
        }
        thread.start()
        started.wait()
        let child = try #require(holder.child).get()
        #expect(child.waitForExit(deadline: soon()) == .killed(signal: SIGTERM))
    }

    @Test func stopSignalsArriveAsData() async throws {
        let signals: [Int32?] = try await withCheckedThrowingContinuation { continuation in
            // A thread of its own, since the signals stay blocked on it.
            Thread {
                continuation.resume(
                    with: Result {
                        let signals = try StopSignals()
                        let before = signals.next()
                        pthread_kill(pthread_self(), SIGTERM)
                        let first = signals.wait(deadline: soon())
                        pthread_kill(pthread_self(), SIGINT)
                        return [before, first, signals.wait(deadline: soon()), signals.wait(deadline: .now())]
                    })
            }.start()
        }
        #expect(signals == [nil, SIGTERM, SIGINT, nil])
    }

    private func withGrandchild(_ script: String) throws -> (ChildProcess, Int32) {
        let output = Pipe()
        var program = shell(script)
        program.descriptors[1] = output.fileHandleForWriting.fileDescriptor
        let child = try ChildProcess(starting: program)
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        return (child, try #require(Int32(line.trimmingCharacters(in: .whitespacesAndNewlines))))
    }

    /// A grandchild is reaped by whoever adopts it, so it may be seen as a zombie for a while.
    private func waitUntilGone(_ process: Int32) throws {
        let deadline = soon()
        while kill(process, 0) == 0 {
            let state = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
            if state.contains(") Z") { return }
            try #require(MonotonicTime.now() < deadline, "process \(process) did not end")
            usleep(2_000)
        }
    }
}

private func soon() -> MonotonicTime { .now().advanced(byMilliseconds: 60_000) }

private func shell(_ script: String) -> ChildProcess.Program {
    program("/bin/sh", ["-c", script])
}

private func program(_ path: String, _ arguments: [String]) -> ChildProcess.Program {
    ChildProcess.Program(
        path: path, arguments: [path] + arguments, environment: ["PATH": "/usr/bin:/bin"], descriptors: [0, 1, 2],
        parentDeathSignal: nil)
}
