import Compression
import EventLoop
import Glibc
import RedisTestSupport
import TestTurns
import Testing
import Usher

@testable import Archive

/// Objects in a folder, and what is made of others' objects.
@Suite(.takesTurns) struct ArchiveTests {
    private static let name = ArchiveName(
        workspaceID: "63972f3e-acff-4f47-9927-21439ce580f7", meetingID: String(repeating: "1", count: 32),
        object: String(repeating: "a", count: 32))!

    private static let segments: StoredSegments = [
        Array("bot:s1".utf8): #"10-0 c 1000 2000 - {"text":"a \"quoted\" one","speaker":null}"#,
        Array("bot:s2".utf8): #"11-0 c 2000 3000 = {"text":"Ä\u0000\n","language":"de"}"#,
        Array("bot:s3".utf8): "12-0 r 0 0 - ",
    ]

    private static func packed() throws -> (bytes: [UInt8], object: ArchivedObject) {
        let transcript = MovedTranscript(segments, sessions: "bot=5")
        let (bytes, count) = try #require(TranscriptObject.pack(transcript, name, number: 7))
        return (bytes, object(bytes, count))
    }

    private static func object(_ bytes: [UInt8], _ unpacked: Int, segments: Int = 3) -> ArchivedObject {
        ArchivedObject(
            name: name, sha256: Digest.sha256(bytes), bytes: bytes.count, unpackedBytes: unpacked, segments: segments,
            taken: 0)
    }

    @Test func whatIsPackedIsUnpacked() throws {
        let (bytes, object) = try Self.packed()
        #expect(try TranscriptObject.unpack(bytes, object) == Self.segments)
    }

    @Test func anythingElseIsSpoilt() throws {
        let (bytes, object) = try Self.packed()
        for index in stride(from: 0, to: bytes.count, by: 7) {
            var other = bytes
            other[index] ^= 1
            #expect(throws: ArchiveFault.self) { try TranscriptObject.unpack(other, object) }
        }
        for other in [[], Array(bytes.dropLast()), bytes + [0]] {
            #expect(throws: ArchiveFault.self) { try TranscriptObject.unpack(other, object) }
        }
    }

    /// Even one whose digest is right is bounded, and checked to be of the form.
    @Test func whatWasMadeByOthersIsBounded() throws {
        let head = #"{"usher_archive":1,"meeting_id":"\#(Self.name.meetingID)","segments":1}"#
        let line = #"["bot:s","1-0 c 1 2 - {}"]"#
        func refused(_ text: String, unpacked: Int? = nil, segments: Int = 1, more: [UInt8] = []) throws -> Bool {
            let bytes = try #require(Gzip.packed(Array(text.utf8))) + more
            let object = Self.object(bytes, unpacked ?? text.utf8.count, segments: segments)
            return (try? TranscriptObject.unpack(bytes, object)) == nil
        }
        let right = "\(head)\n\(line)\n"
        #expect(try !refused(right))
        #expect(try refused(right, unpacked: right.utf8.count - 1) && refused(right, unpacked: right.utf8.count + 1))
        #expect(try refused(right, segments: 2) && refused(right, more: [1]))
        let bomb = right + String(repeating: " ", count: 10_000_000)
        #expect(try refused(bomb, unpacked: right.utf8.count))
        for text in [
            "", line, "\(head)\n", "\(head)\n\(line)\n\(line.replacing("bot:s", with: "bot:t"))\n", "\(head)\n[]\n",
            "\(head)\n[1,2]\n",
            "\(head)\n[\"a\"]\n", "\(head)\n{}\n", right.replacing(":1,", with: ":2,"),
            right.replacing(Self.name.meetingID, with: String(repeating: "2", count: 32)),
        ] {
            #expect(try refused(text), "\(text)")
        }
    }

    @Test func placesAreFoldersOrPlainNamesInBuckets() {
        #expect(ArchivePlace("/srv/a b") == .folder("/srv/a b"))
        #expect(ArchivePlace("s3://bucket") == .bucket("bucket", prefix: ""))
        #expect(ArchivePlace("s3://bucket/") == .bucket("bucket", prefix: ""))
        #expect(ArchivePlace("s3://bucket/a/b_c.d") == .bucket("bucket", prefix: "a/b_c.d/"))
        for text in [
            "s3://", "s3://ab", "s3:///a", "s3://buck_et", "s3://bucket//a", "s3://bucket/a//b", "s3://bucket/../a",
            "s3://bucket/./a", "s3://bucket/a b", "s3://bucket/ä", "s3://bucket/a%2f", "s3://bucket/a?b",
        ] {
            #expect(ArchivePlace(text) == nil, "\(text)")
        }
    }

    @Test func namesAreIdsAndNothingElse() {
        #expect(ArchiveName(workspaceID: "../..", meetingID: Self.name.meetingID, object: Self.name.object) == nil)
        #expect(ArchiveName(workspaceID: Self.name.workspaceID, meetingID: "..", object: Self.name.object) == nil)
        #expect(ArchiveName(workspaceID: Self.name.workspaceID, meetingID: Self.name.meetingID, object: "a/b") == nil)
    }

    private static func read(_ storage: FolderStorage, count: Int) async throws(ArchiveFault) -> [UInt8] {
        try await storage.read(name, count: count, until: .now().advanced(byMilliseconds: 60_000))
    }

    private static func onFolder(
        _ body: @escaping @Sendable (FolderStorage, String) async throws -> Void
    ) async throws {
        let folder = try TemporaryFolder.make().path
        try await withDisk { disk in try await body(FolderStorage(folder, disk: disk), folder) }
    }

    @Test func aFolderKeepsWhatIsWritten() async throws {
        try await Self.onFolder { storage, folder in
            await #expect(throws: ArchiveFault.gone) { try await Self.read(storage, count: 3) }
            #expect(try await storage.write([1, 2, 3], to: Self.name))
            #expect(try await Self.read(storage, count: 3) == [1, 2, 3])
            // No more than one byte beyond what it should have.
            #expect(try await Self.read(storage, count: 1) == [1, 2])
            let path = "\(folder)/\(Self.name.path)"
            var entry = stat()
            #expect(stat(path, &entry) == 0 && entry.st_mode & 0o777 == 0o600)
            try await storage.remove(Self.name)
            try await storage.remove(Self.name)
            await #expect(throws: ArchiveFault.gone) { try await Self.read(storage, count: 3) }
            #expect(access("\(folder)/\(Self.name.workspaceID)", F_OK) != 0)
        }
    }

    @Test func noLinkIsFollowedAndAnotherFolderIsAway() async throws {
        try await Self.onFolder { storage, folder in
            try #require(mkdir("\(folder)/elsewhere", 0o700) == 0)
            try #require(symlink("\(folder)/elsewhere", "\(folder)/\(Self.name.workspaceID)") == 0)
            for attempt in 0..<3 {
                do throws(ArchiveFault) {
                    switch attempt {
                    case 0: _ = try await storage.write([1], to: Self.name)
                    case 1: _ = try await Self.read(storage, count: 1)
                    default: try await storage.remove(Self.name)
                    }
                    Issue.record("a link was followed")
                } catch {
                    guard case .away = error else {
                        Issue.record("\(error)")
                        return
                    }
                }
            }
        }
        try await withDisk { disk in
            let storage = try FolderStorage("\(TemporaryFolder.make().path)/none", disk: disk)
            let fault = await #expect(throws: ArchiveFault.self) { try await Self.read(storage, count: 1) }
            #expect(fault != .gone)
        }
    }
}
