import EventLoop
import Foundation
import TestTurns
import Testing

@testable import AttendingBot

@Suite(.takesTurns) struct RecordingFileTests {
    private static func withFolder(_ body: (String) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "recording-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    private static func bytes(_ path: String) -> [UInt8] {
        Array(FileManager.default.contents(atPath: path) ?? Data())
    }

    @Test func itIsAWholeFileAfterEachWrite() throws {
        try Self.withFolder { folder in
            let path = "\(folder)/w/m/b.wav"
            let file = try RecordingFile(path)
            #expect(Self.bytes(path) == WAV.file(of: []))
            try file.write([1, -2], at: 0)
            #expect(Self.bytes(path) == WAV.file(of: [1, -2]))
            // What could not be written in between is silence.
            try file.write([3], at: 4)
            #expect(Self.bytes(path) == WAV.file(of: [1, -2, 0, 0, 3]))
        }
    }

    @Test func whatIsThereIsNeitherReplacedNorFollowed() throws {
        try Self.withFolder { folder in
            let file = try RecordingFile("\(folder)/w/m/b.wav")
            try file.write([1], at: 0)
            #expect(throws: SystemError.self) { try RecordingFile("\(folder)/w/m/b.wav") }
            #expect(Self.bytes("\(folder)/w/m/b.wav") == WAV.file(of: [1]))
            try FileManager.default.createSymbolicLink(
                atPath: "\(folder)/w/m/c.wav", withDestinationPath: "\(folder)/elsewhere")
            #expect(throws: SystemError.self) { try RecordingFile("\(folder)/w/m/c.wav") }
            #expect(!FileManager.default.fileExists(atPath: "\(folder)/elsewhere"))
            // A folder of recordings that is not there, as one that is not mounted, is not made.
            #expect(throws: SystemError.self) { try RecordingFile("\(folder)/none/w/m/b.wav") }
        }
    }

    /// As the keeper does, which may come between the making of a file and its lock.
    @Test func whoLooksWhetherItGrowsDoesNotKeepItFromBeingLocked() throws {
        try Self.withFolder { folder in
            let made = open("\(folder)/b.wav", O_WRONLY | O_CREAT, 0o640)
            let looking = open("\(folder)/b.wav", O_RDONLY)
            defer { for each in [made, looking] { close(each) } }
            #expect(flock(looking, LOCK_SH) == 0)
            var pauses = 0
            let isLocked = RecordingFile.lock(made) {
                pauses += 1
                if pauses == 3 { flock(looking, LOCK_UN) }
            }
            #expect(isLocked && pauses == 3)
            #expect(flock(looking, LOCK_SH | LOCK_NB) != 0)
            // What is locked for long is not waited for.
            #expect(!RecordingFile.lock(looking) {})
        }
    }

    @Test func theHeaderHasTheMostThatItCan() {
        #expect(WAV.header(dataBytes: Int(UInt32.max)).count == WAV.headerBytes)
        #expect(WAV.header(dataBytes: .max)[4..<8] == [247, 255, 255, 255])
    }
}
