import TestTurns
import Testing

@testable import Runner

@Suite(.takesTurns) struct SupervisorMessagesTests {
    private static let program = SupervisedProgram(
        words: ["bot", "", "a b"], environment: ["A": "1=2", "B": "", "C": "ü\n"], cleanUp: ["rm", "x"],
        showsOutput: true)

    @Test(arguments: [
        SupervisorCommand.start(program, deadline: BootTime(nanoseconds: .max)),
        .start(SupervisedProgram(words: ["bot"], environment: [:]), deadline: BootTime(nanoseconds: 0)),
        .mask([]), .mask(["a b", "ü"]), .controlGroup(ControlGroup(path: "/sys/a b")),
        .deadline(BootTime(nanoseconds: 12)), .end(graceMilliseconds: 0), .end(graceMilliseconds: 5000),
    ])
    func aCommandArrivesAsItWasSent(command: SupervisorCommand) throws {
        let (kind, texts) = try #require(try decode(SupervisorFrame.encode(command)).first)
        #expect(try SupervisorFrame.command(kind, texts) == command)
    }

    @Test(arguments: [
        SupervisorReport.started(process: 7), .notStarted("No.", mayPass: false),
        .notStarted("Not now.", mayPass: true), .deadlineTaken(BootTime(nanoseconds: 1)),
        .ended(ProgramEnd(status: .exited(code: 3), cause: .itself, output: "last\nlines")),
        .ended(ProgramEnd(status: .killed(signal: 9), cause: .deadline, output: "")),
    ])
    func aReportArrivesAsItWasSent(report: SupervisorReport) throws {
        let (kind, texts) = try #require(try decode(SupervisorFrame.encode(report)).first)
        #expect(try SupervisorFrame.report(kind, texts) == report)
    }

    @Test func messagesArePutTogetherWhereverAPipeCutsThem() throws {
        let reports = [SupervisorReport.started(process: 7), .deadlineTaken(BootTime(nanoseconds: 5))]
        let bytes = reports.flatMap(SupervisorFrame.encode)
        var decoder = SupervisorFrameDecoder()
        var found: [SupervisorReport] = []
        for byte in bytes {
            decoder.append([byte])
            while let (kind, texts) = try decoder.next() { found.append(try SupervisorFrame.report(kind, texts)) }
        }
        #expect(found == reports)
    }

    @Test(arguments: [
        [UInt8(ascii: "s"), 0xff, 0, 0, 0], Array("d".utf8) + [0, 0, 0, 2] + Array("x\0".utf8),
        Array("?".utf8) + [0, 0, 0, 0], Array("s".utf8) + [0, 0, 0, 8] + Array("1\0000\0009\0000\0".utf8),
        Array("e".utf8) + [0, 0, 0, 3] + Array("-1\0".utf8),
        // As many words as there are texts, but four of these are no words.
        Array("s".utf8) + [0, 0, 0, 10] + Array("1\u{0}0\u{0}5\u{0}0\u{0}a\u{0}".utf8),
    ])
    func whatNoRunnerSaysIsRefused(bytes: [UInt8]) {
        #expect(throws: SupervisorFrame.Malformed.self) {
            for (kind, texts) in try decode(bytes) { _ = try SupervisorFrame.command(kind, texts) }
        }
    }

    private func decode(_ bytes: [UInt8]) throws -> [(kind: UInt8, texts: [String])] {
        var decoder = SupervisorFrameDecoder()
        decoder.append(bytes)
        var messages: [(kind: UInt8, texts: [String])] = []
        while let message = try decoder.next() { messages.append(message) }
        return messages
    }
}

@Suite(.takesTurns) struct OutputTailTests {
    @Test func shortOutputIsKeptWhole() {
        var tail = OutputTail()
        tail.append(Array("one\n".utf8))
        tail.append(Array("two\n\n".utf8))
        #expect(tail.text == "one\ntwo")
        #expect(OutputTail().text == "")
    }

    @Test func ofLongOutputTheLastWholeLinesAreKept() {
        var tail = OutputTail()
        for number in 0..<10_000 { tail.append(Array("line \(number)\n".utf8)) }
        let lines = tail.text.split(separator: "\n")
        #expect(lines.last == "line 9999")
        #expect(lines.first?.hasPrefix("line ") == true)
        #expect(tail.text.utf8.count <= OutputTail.maximumBytes)
        #expect(tail.text.utf8.count > OutputTail.maximumBytes - 20)
    }

    @Test func oneLineWithoutEndKeepsItsEnd() {
        var tail = OutputTail()
        tail.append([UInt8](repeating: UInt8(ascii: "x"), count: 100_000) + Array("end".utf8))
        #expect(tail.text.hasSuffix("xend"))
        #expect(tail.text.utf8.count == OutputTail.maximumBytes)
    }

    @Test func bytesThatAreNoTextBecomeText() {
        var tail = OutputTail()
        tail.append([0xff, 0, 0xc3] + Array("a".utf8))
        #expect(tail.text == "\u{fffd} \u{fffd}a")
        tail.append([UInt8](repeating: 0xff, count: 50_000))
        #expect(tail.text.utf8.count <= OutputTail.maximumBytes)
    }
}
