import Foundation
import Glibc
import TestTurns
import Testing

@testable import UsherCommand

/// Secrets in files, in place of flags and variables.
@Suite(.takesTurns) final class SecretFileTests {
    private let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("usher-secrets-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: folder)
    }

    private static let secrets = [
        "redis", "admin-key", "archive-s3-access-key", "archive-s3-secret-key", "webhook-url", "webhook-secret",
        "bot-redis",
        "transcription-token", "recording-upload-token",
    ]

    @Test func everySecretSettingMayStandInAFileAndNoOther() {
        #expect(Setting.all.filter(\.isSecret).map(\.name) == Self.secrets)
        // Nothing else is called so, such that the two could be taken for each other.
        #expect(Setting.all.allSatisfy { !$0.name.hasSuffix("-file") })
        #expect(
            message(["serve", "--port-file", "/p"])?.hasPrefix("usher serve does not know \"--port-file\"") == true)
    }

    @Test func aFileIsReadWithoutItsLinesEnd() throws {
        for content in ["0123456789abcdef", "0123456789abcdef\n", "0123456789abcdef\r\n"] {
            let path = try file(content)
            #expect(try serve(["--admin-key-file", path]).adminKey == "0123456789abcdef")
            #expect(try serve(["--admin-key-file=\(path)"]).adminKey == "0123456789abcdef")
            #expect(try serve([], ["USHER_ADMIN_KEY_FILE": path]).adminKey == "0123456789abcdef")
        }
        let path = try file("rediss://u:p%40@redis:7000/3\n")
        #expect(try serve(["--redis-file", path]).redisURL == "rediss://u:p%40@redis:7000/3")
        #expect(try serve([], ["USHER_REDIS_FILE": path]).environment(of: .serve)["USHER_REDIS_FILE"] == nil)
    }

    @Test func aFlagBeatsVariablesAndOfOneKindOnlyOneIsGiven() throws {
        let path = try file("fromfromfromfile")
        let both = ["USHER_ADMIN_KEY": "fromthevariable!", "USHER_ADMIN_KEY_FILE": path]
        #expect(
            message(["serve"], both)
                == "USHER_ADMIN_KEY and USHER_ADMIN_KEY_FILE are given, but they are one setting: leave one out.")
        #expect(
            message(["serve", "--admin-key", "fromtheflag12345", "--admin-key-file", path])
                == "--admin-key and --admin-key-file are given, but they are one setting: leave one out.")
        #expect(
            try serve(["--admin-key-file", path], ["USHER_ADMIN_KEY": "fromthevariable!"]).adminKey
                == "fromfromfromfile")
        #expect(
            try serve(["--admin-key", "fromtheflag12345"], ["USHER_ADMIN_KEY_FILE": "/nowhere"]).adminKey
                == "fromtheflag12345")
        #expect(try serve([], ["USHER_ADMIN_KEY": "", "USHER_ADMIN_KEY_FILE": path]).adminKey != nil)
        #expect(try serve([], ["USHER_ADMIN_KEY_FILE": ""]).adminKey == nil)
        #expect(
            message(["serve", "--admin-key-file", path, "--admin-key-file", path])
                == "--admin-key-file is given twice.")
    }

    @Test func whatCannotBeReadIsSaidByNameAlone() throws {
        for (path, reason) in [("/nowhere/key", "No such file or directory"), ("/tmp", "Is a directory")] {
            #expect(
                message(["serve", "--admin-key-file", path])
                    == "--admin-key-file \"\(path)\" cannot be read: \(reason).")
            #expect(
                message(["serve"], ["USHER_REDIS_FILE": path])
                    == "USHER_REDIS_FILE \"\(path)\" cannot be read: \(reason).")
        }
        let long = try file(String(repeating: "s", count: 65_537))
        #expect(
            message(["serve", "--admin-key-file", long])
                == "--admin-key-file \"\(long)\" cannot be read: it has more than 65536 bytes.")
        // Only what a command takes is read.
        #expect(message(["keys", "abc"], ["USHER_ADMIN_KEY_FILE": "/nowhere"]) == nil)
    }

    /// As `--admin-key-file <(slow command)` has it.
    @Test func aPipeIsReadToItsEndHoweverSlowlyItIsFilled() throws {
        let path = folder.appendingPathComponent("pipe").path
        #expect(mkfifo(path, 0o600) == 0)
        // Both ends, so that neither open waits.
        let writer = open(path, O_RDWR | O_CLOEXEC)
        let thread = Thread {
            for piece in ["01234567", "89abcdef", "\n"] {
                usleep(50_000)
                _ = write(writer, piece, piece.utf8.count)
            }
            usleep(50_000)
            close(writer)
        }
        thread.start()
        #expect(try SecretFile.text(path, namedBy: "--admin-key-file") == "0123456789abcdef")
    }

    @Test func aPipeThatDoesNotEndIsNotWaitedForForEver() throws {
        let path = folder.appendingPathComponent("pipe").path
        #expect(mkfifo(path, 0o600) == 0)
        let writer = open(path, O_RDWR | O_CLOEXEC)
        defer { close(writer) }
        _ = write(writer, "secret", 6)
        let error = #expect(throws: UsageError.self) {
            try SecretFile.text(path, namedBy: "--admin-key-file", patienceMilliseconds: 1_000)
        }
        #expect(
            error?.description == "--admin-key-file \"\(path)\" cannot be read: it did not end within 1 s.")
        // A pipe that nobody has begun to fill is empty.
        let idle = folder.appendingPathComponent("idle").path
        #expect(mkfifo(idle, 0o600) == 0)
        #expect(try SecretFile.text(idle, namedBy: "--admin-key-file").isEmpty)
    }

    @Test(arguments: [
        "", "\n", "two secret words", "secret\0secretsecret", "secretsecret\nsecretsecret",
        String(repeating: "secret", count: 1_000),
    ])
    func whatIsNoSecretIsRefusedAndNotShown(content: String) throws {
        let path = try file(content)
        let text = message(["serve", "--admin-key-file", path])
        #expect(
            text
                == "What --admin-key-file \"\(path)\" holds must be 16 to 512 letters, digits or signs of ASCII, without "
                + "spaces; its value is not shown here.")
        let address = try file("redis://u:secret@host:port/" + content)
        let refusal = message(["serve", "--redis-file", address])
        #expect(refusal?.hasPrefix("What --redis-file \"\(address)\" holds is \"redis://") == true)
        #expect(refusal?.contains("secret@") == false)
    }

    @Test func variablesOfFilesAreSettingsAndOthersAreWarnedOf() {
        let reader = CommandLineReader(environment: [
            "USHER_ADMIN_KEY_FILE": "/run/secrets/admin-key", "USHER_ADMIN_KEY_FLIE": "", "USHER_PORT_FILE": "",
        ])
        #expect(
            reader.warnings.map { $0.split(separator: "\"")[1] } == ["USHER_ADMIN_KEY_FLIE", "USHER_PORT_FILE"])
        #expect(reader.warnings.first?.hasSuffix("is USHER_ADMIN_KEY_FILE meant?") == true)
    }

    private func serve(_ arguments: [String], _ environment: [String: String] = [:]) throws -> Settings {
        guard case .serve(let settings) = try CommandLineReader(environment: environment).read(["serve"] + arguments)
        else { throw UsageError("not serve") }
        return settings
    }

    /// A new file's path.
    private func file(_ content: String) throws -> String {
        let file = folder.appendingPathComponent(UUID().uuidString)
        try Data(content.utf8).write(to: file)
        return file.path
    }
}
