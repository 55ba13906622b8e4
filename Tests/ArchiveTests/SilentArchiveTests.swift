import Dispatch
import EventLoop
import Glibc
import RedisTestSupport
import Synchronization
import TestTurns
import Testing
import Usher

@testable import Archive

/// With a thread that a disk holds up.
func withDisk(_ body: @escaping @Sendable (DiskThread) async throws -> Void) async throws {
    let clock = try EventLoop(name: "clock")
    try clock.start()
    let disk = try DiskThread(clock: clock)
    try disk.start()
    defer {
        disk.stop()
        clock.stop()
        clock.join()
    }
    try await body(disk)
}

/// Disks and stores that take what is asked of them, and then say nothing.
@Suite(.takesTurns) struct SilentArchiveTests {
    private static let silence = ArchiveFault.away("its disk does not answer")
    private static let name = ArchiveName(
        workspaceID: "63972f3e-acff-4f47-9927-21439ce580f7", meetingID: String(repeating: "1", count: 32),
        object: String(repeating: "a", count: 32))!
    private static let anHour = 3_600_000
    private static var soon: MonotonicTime { .now().advanced(byMilliseconds: 60_000) }

    /// Holds up whoever goes through it.
    private final class Gate: Sendable {
        private let isOpen = DispatchSemaphore(value: 0)
        let isReached = Atomic(false)

        func open() { isOpen.signal() }

        func pass() {
            isReached.store(true, ordering: .relaxed)
            isOpen.wait()
        }
    }

    @Test func whoWaitsForADiskThatHangsGivesUpAndOthersNeedNotWait() async throws {
        try await withDisk { disk in
            let gate = Gate()
            defer { gate.open() }
            await #expect(throws: Self.silence) { try await disk.run(patience: 20) { gate.pass() } }
            let began = MonotonicTime.now()
            await #expect(throws: Self.silence) { try await disk.run(patience: Self.anHour) {} }
            #expect(MonotonicTime.now().milliseconds(since: began) < Self.anHour)

            gate.open()
            let end = Self.soon
            while (try? await disk.run {}) == nil { try #require(MonotonicTime.now() < end) }
        }
    }

    /// It is no sign of a disk that hangs; and what nobody waits for any more is not done.
    @Test func whoHasNoTimeLeftHoldsUpNobodyElse() async throws {
        try await withDisk { disk in
            let gate = Gate()
            defer { gate.open() }
            let isDone = Mutex(false)
            let first = Task { try await disk.run { gate.pass() } }
            while !gate.isReached.load(ordering: .relaxed) { await Task.yield() }
            await #expect(throws: Self.silence) {
                try await disk.run(until: .now().advanced(byMilliseconds: 20)) { isDone.withLock { $0 = true } }
            }
            let third = Task { try await disk.run { 3 } }
            gate.open()
            try await first.value
            #expect(try await third.value == 3 && !isDone.withLock { $0 })
        }
    }

    @Test func aDiskThatHangsIsLeftToTheEnd() async throws {
        try await withDisk { disk in
            let gate = Gate()
            await #expect(throws: Self.silence) { try await disk.run(patience: 20) { gate.pass() } }
            disk.stop(graceMilliseconds: 20)
            gate.open()
        }
    }

    /// A pipe that nobody reads holds up who opens it to write.
    @Test func aFolderThatHangsIsAway() async throws {
        try await withDisk { disk in
            let folder = try TemporaryFolder.make().path
            let part = "\(folder)/\(Self.name.workspaceID)/.\(Self.name.meetingID)-\(Self.name.object).jsonl.gz.part"
            try #require(mkdir("\(folder)/\(Self.name.workspaceID)", 0o700) == 0 && mkfifo(part, 0o600) == 0)
            let storage = FolderStorage(folder, disk: disk)
            let written = Task { try await storage.write([1], to: Self.name) }
            let end = Self.soon
            var fault = ArchiveFault.gone
            while fault == .gone, MonotonicTime.now() < end {
                do throws(ArchiveFault) {
                    _ = try await storage.read(Self.name, count: 1, until: .now().advanced(byMilliseconds: 50))
                } catch {
                    fault = error
                }
            }
            #expect(fault == Self.silence)

            let reader = open(part, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
            try #require(reader >= 0)
            defer { close(reader) }
            // It goes on: what it is now is no file.
            await #expect(throws: ArchiveFault.self) { try await written.value }
            #expect(try await disk.run { 1 } == 1)
        }
    }

    /// Ends at all: by itself the storage would wait for an hour.
    @Test(.timeLimit(.minutes(10))) func aStoreIsWaitedForAsLongAsTheRequest() async throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port = withUnsafeMutableBytes(of: &address) { bytes in
            let address = bytes.assumingMemoryBound(to: sockaddr.self).baseAddress!
            guard bind(listener, address, size) == 0, listen(listener, 8) == 0 else { return UInt16(0) }
            getsockname(listener, address, &size)
            return UInt16(bigEndian: bytes.load(fromByteOffset: 2, as: UInt16.self))
        }
        try #require(port > 0)
        let loop = try EventLoop(name: "archive")
        try loop.start()
        var configuration = BucketConfiguration()
        configuration.endpoint = "http://127.0.0.1:\(port)"
        (configuration.accessKey, configuration.secretKey) = ("key", "secret")
        let storage = BucketStorage(bucket: "bucket", prefix: "", configuration, loop: loop, patience: Self.anHour)
        defer {
            loop.execute { storage.stop() }
            loop.stop()
            loop.join()
        }
        let began = MonotonicTime.now()
        let fault = await #expect(throws: ArchiveFault.self) {
            try await storage.read(Self.name, count: 1, until: began.advanced(byMilliseconds: 200))
        }
        #expect(fault != .gone)
        #expect(MonotonicTime.now().milliseconds(since: began) >= 200, "\(fault?.reason ?? "")")
    }
}
