import EventLoop
import Foundation
import TestTurns
import Testing

@testable import UsherCommand

/// What `usher up` checks before it starts anything, and what it says.
@Suite(.takesTurns) struct UpTests {
    // MARK: Port

    @Test func aPortThatIsListenedOnIsRefusedEvenIfItIsShared() throws {
        let listener = try listener(sharing: true)
        defer { close(listener.descriptor) }
        let failure = #expect(throws: UpFailure.self) { try PortReservation(host: "127.0.0.1", port: listener.port) }
        #expect(
            failure?.description
                == "Port \(listener.port) on 127.0.0.1 is in use; stop what listens there, or choose another with "
                + "--port.")
        #expect(throws: UpFailure.self) { try PortReservation(host: "0.0.0.0", port: listener.port) }
    }

    @Test func aReservedPortIsOpenToNodesAndToNobodyElse() throws {
        let reservation = try PortReservation(host: "127.0.0.1", port: 0)
        #expect(reservation.port > 0)
        #expect(throws: UpFailure.self) { try PortReservation(host: "127.0.0.1", port: reservation.port) }
        #expect(throws: POSIXError.self) { try self.listener(sharing: false, port: reservation.port) }
        let nodes = try (0..<2).map { _ in try listener(sharing: true, port: reservation.port) }
        #expect(throws: UpFailure.self) { try PortReservation(host: "127.0.0.1", port: reservation.port) }
        for node in nodes { close(node.descriptor) }
    }

    @Test func anAddressOfAnotherMachineIsNamed() {
        let failure = #expect(throws: UpFailure.self) { try PortReservation(host: "192.0.2.1", port: 0) }
        #expect(failure?.description == "192.0.2.1 is not an address of this machine; choose another with --host.")
    }

    // MARK: Data folder

    @Test func aDataFolderIsMadeAndHeldOnce() throws {
        let root = try TemporaryFolder()
        let path = root.path + "/a/./b/"
        var first: DataFolder? = try DataFolder(path)
        #expect(first?.path == root.path + "/a/b")
        #expect(first?.redisURL(password: nil) == "redis+unix://\(root.path)/a/b/redis.sock")
        #expect(first?.redisURL(password: "p") == "redis+unix://:p@\(root.path)/a/b/redis.sock")
        let failure = #expect(throws: UpFailure.self) { try DataFolder(path) }
        #expect(
            failure?.description
                == "The data folder \"\(path)\" is in use by another usher up (process \(getpid())); stop that one, or "
                + "choose another folder with --data.")
        first = nil
        // A process that another test is starting has the lock too until it runs its program.
        let end = ContinuousClock.now + .seconds(60)
        while (try? DataFolder(path)) == nil {
            try #require(ContinuousClock.now < end, "the folder is free again")
            usleep(1_000)
        }
    }

    @Test func aDataFolderThatCannotBeWrittenIsNamed() throws {
        let root = try TemporaryFolder()
        #expect(FileManager.default.createFile(atPath: root.path + "/file", contents: nil))
        for path in [root.path + "/file", root.path + "/file/folder"] {
            let failure = #expect(throws: UpFailure.self) { try DataFolder(path) }
            #expect(
                failure?.description
                    == "The data folder \"\(path)\" cannot be written: Not a directory; choose another with --data.")
        }
    }

    @Test func aFolderWhoseSocketCannotHaveAnAddressIsRefusedAndNotMade() throws {
        let root = try TemporaryFolder()
        for name in [String(repeating: "x", count: 107), "what?"] {
            let failure = #expect(throws: UpFailure.self) { try DataFolder(root.path + "/" + name) }
            #expect(failure?.description.contains("may have 107 bytes and no ?") == true)
            #expect(!FileManager.default.fileExists(atPath: root.path + "/" + name))
        }
    }

    @Test func theLastLineOfTheLogIsFound() throws {
        let root = try TemporaryFolder()
        let folder = try DataFolder(root.path)
        #expect(folder.lastLogLine == nil)
        try (String(repeating: "line\n", count: 9999) + "the last\n").write(
            toFile: folder.logPath, atomically: false, encoding: .utf8)
        #expect(folder.lastLogLine == "the last")
    }

    // MARK: Programs

    @Test func aMissingRedisServerIsSaidWithTheRemedy() throws {
        let root = try TemporaryFolder()
        let failure = #expect(throws: UpFailure.self) {
            try Programs(environment: ["PATH": root.path]).redisServerPath()
        }
        #expect(
            failure?.description
                == "There is no redis-server in PATH; install it with `apt-get install redis-server`, or name a Redis "
                + "with --redis.")
    }

    @Test func aNodeThatKeepsEndingAtOnceIsGivenUp() {
        var policy = RestartPolicy()
        #expect((0..<4).map { _ in policy.delay(afterRunningFor: 10) } == [250, 500, 1000, nil])
    }

    @Test func aNodeThatRanForAWhileStartsAfresh() {
        var policy = RestartPolicy()
        #expect(
            [10, 10, 60_000, 10, 10, 10].map { policy.delay(afterRunningFor: $0) } == [250, 500, 250, 500, 1000, nil])
    }

    // MARK: Announcement

    @Test func theAnnouncementHasTheCommandsAndNoPassword() {
        let demo = Demo(
            workspaceID: "w1", apiKey: "k1", apiKeyID: "i1", meetingID: "m1",
            meetingURL: "https://meet.google.com/abc-defg-hij")
        var announcement = Announcement(
            baseURL: "http://127.0.0.1:8080", adminKey: "a1", nodes: [7, 8], runners: [9],
            consoleURL: "http://127.0.0.1:8081/console", simulates: true,
            redisURL: "redis://u:secret@host:1/0",
            dataFolder: nil, demo: demo)
        #expect(!announcement.text.contains("secret"))
        let command =
            "curl -i -X POST 'http://127.0.0.1:8080/api/v1/public/meeting/w1/meetings/m1/reinvite_bot' "
            + "-H 'Authorization: Bearer k1'"
        #expect(announcement.text.components(separatedBy: command).count == 3)
        #expect(announcement.text.contains("  console    http://127.0.0.1:8081/console,"))
        announcement = Announcement(
            baseURL: "", adminKey: "a1", nodes: [7], runners: [], consoleURL: nil, simulates: false,
            redisURL: "redis+unix:///o'd/redis.sock", dataFolder: "/o'd",
            demo: demo)
        #expect(announcement.text.contains("  redis-cli -s '/o'\\''d/redis.sock'"))
        #expect(!announcement.text.contains("/console"), "it is off")
        announcement = Announcement(
            baseURL: "", adminKey: "a1", nodes: [7], runners: [], consoleURL: nil, simulates: false,
            redisURL: "redis+unix://:pw@/d/redis.sock", dataFolder: "/d", demo: demo)
        #expect(announcement.text.contains("  REDISCLI_AUTH=pw redis-cli -s '/d/redis.sock'"))
        #expect(announcement.text.contains("redis+unix:///d/redis.sock, private"))
        announcement = Announcement(
            baseURL: "", adminKey: "a1", nodes: [7], runners: [], consoleURL: nil, simulates: false,
            redisURL: "redis+unix://:secret@/d/redis.sock", dataFolder: nil, demo: demo)
        #expect(!announcement.text.contains("secret"), "another's password is not ours to show")
    }

    private func listener(sharing: Bool, port: Int = 0) throws -> (descriptor: Int32, port: Int) {
        let address = try #require(SocketAddress(host: "127.0.0.1", port: port))
        let descriptor = address.makeSocket()
        var yes: Int32 = 1
        if sharing { setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &yes, socklen_t(MemoryLayout<Int32>.size)) }
        guard address.bind(descriptor) == 0, listen(descriptor, 1) == 0, let bound = SocketAddress.port(of: descriptor)
        else {
            let code = errno
            close(descriptor)
            throw POSIXError(POSIXErrorCode(rawValue: code) ?? .EINVAL)
        }
        return (descriptor, bound)
    }
}

/// A folder that is removed when it is dropped. Its path is short, so that sockets fit into it.
private final class TemporaryFolder {
    let path = "/tmp/usher-test-\(UInt32.random(in: 0...UInt32.max))"

    init() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}
