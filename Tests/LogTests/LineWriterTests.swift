import Foundation
import Testing

@testable import Log

@Suite struct LineWriterTests {
    private struct Pipe {
        let read: Int32
        let write: Int32
        /// How much goes in while nobody reads.
        let bytes: Int

        init() throws {
            var ends: [Int32] = [-1, -1]
            try #require(pipe(&ends) == 0)
            (read, write) = (ends[0], ends[1])
            // As little as the kernel gives: a page.
            bytes = Int(fcntl(write, 1031, 4_096))
        }

        /// Reads until `count` line breaks have come.
        func lines(_ count: Int) -> [String] {
            var bytes: [UInt8] = []
            var piece = [UInt8](repeating: 0, count: 65_536)
            while bytes.count(where: { $0 == 10 }) < count {
                let length = Glibc.read(read, &piece, piece.count)
                guard length > 0 else { break }
                bytes += piece[..<length]
            }
            return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
        }
    }

    private static func line(_ number: Int, bytes: Int = 100) -> [UInt8] {
        let text = "\(number) "
        return Array((text + String(repeating: "x", count: bytes - text.utf8.count - 1) + "\n").utf8)
    }

    private static func number(_ line: String) -> Int? { line.split(separator: " ").first.flatMap { Int($0) } }

    @Test func nobodyWaitsForAReaderAndWhatWasDroppedIsToldInItsPlace() throws {
        let pipe = try Pipe()
        let writer = LineWriter(pipe.write, maximumBytes: 10_000)
        // Returns at all: nobody reads, and this is far more than pipe and writer hold.
        for number in 0..<1_000 { writer.write(Self.line(number), noticeFormat: .json) }
        let dropped = writer.droppedLines
        #expect((1_000 - (10_000 + pipe.bytes) / 100..<1_000).contains(dropped))
        #expect(!writer.flush(withinMilliseconds: 1))

        let kept = 1_000 - dropped
        let lines = pipe.lines(kept + 1)
        #expect(lines.prefix(kept).map(Self.number) == (0..<kept).map { $0 })
        let last = try #require(lines.last)
        let notice = try #require(try JSONSerialization.jsonObject(with: Data(last.utf8)) as? [String: String])
        #expect(notice["lines"] == String(dropped) && notice["level"] == "warning")
        #expect(notice["message"] == "Lines of the log were dropped: nobody took them")

        // It is told once, and what comes after it is kept again.
        #expect(writer.flush(withinMilliseconds: 60_000))
        writer.write(Self.line(1_000))
        #expect(pipe.lines(1).map(Self.number) == [1_000] && writer.droppedLines == dropped)
    }

    @Test func linesOfSeveralThreadsAreWholeHoweverLongTheyAre() async throws {
        let pipe = try Pipe()
        let writer = LineWriter(pipe.write)
        let lengths = [20, 3_000, 5_000, 20_000]
        await withTaskGroup(of: Void.self) { group in
            for length in lengths {
                group.addTask { for number in 0..<10 { writer.write(Self.line(number, bytes: length)) } }
            }
        }
        let lines = pipe.lines(10 * lengths.count)
        for length in lengths {
            let mine = lines.filter { $0.utf8.count == length - 1 }
            #expect(mine.map(Self.number) == (0..<10).map { $0 }, "\(length)")
        }
    }

    @Test func whatCannotBeWrittenIsCountedAndToldOnceItCan() throws {
        let path = "/tmp/usher-lines-\(UInt32.random(in: 0...UInt32.max))"
        defer { unlink(path) }
        let full = open("/dev/full", O_WRONLY | O_CLOEXEC)
        let descriptor = dup(full)
        try #require(full >= 0 && descriptor >= 0)
        let writer = LineWriter(descriptor)
        for number in 0..<3 {
            writer.write(Self.line(number), noticeFormat: .people)
            #expect(writer.flush(withinMilliseconds: 60_000))
        }
        #expect(writer.droppedLines == 3 && writer.lastFailure == ENOSPC)
        // There is room again.
        let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        #expect(dup2(file, descriptor) == descriptor)
        writer.write(Self.line(3))
        #expect(writer.flush(withinMilliseconds: 60_000) && writer.lastFailure == nil)
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 2 && lines[0].hasSuffix("nobody took them  lines=3") && lines[1].hasPrefix("3 "))
        #expect(writer.droppedLines == 3)
    }

    @Test func aDescriptorThatSomebodyMadeNonBlockingLosesNothing() throws {
        let pipe = try Pipe()
        #expect(fcntl(pipe.write, F_SETFL, O_WRONLY | O_NONBLOCK) == 0)
        let writer = LineWriter(pipe.write)
        for number in 0..<1_000 { writer.write(Self.line(number)) }
        #expect(pipe.lines(1_000).map(Self.number) == (0..<1_000).map { $0 })
        #expect(writer.droppedLines == 0)
    }
}
