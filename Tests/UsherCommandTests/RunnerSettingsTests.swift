import Foundation
import Runner
import TestTurns
import Testing
import Usher

@testable import UsherCommand

/// What a runner is told of its bots and of what they use.
@Suite(.takesTurns) struct RunnerSettingsTests {
    private func runner(_ arguments: [String], _ environment: [String: String] = [:]) throws -> Settings {
        let reader = CommandLineReader(environment: environment)
        guard case .runner(let settings) = try reader.read(["runner", "--launch", "bot"] + arguments) else {
            throw UsageError("not runner")
        }
        return settings
    }

    private func refusal(_ body: () throws -> Void) -> String? {
        do {
            try body()
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test(arguments: ["redis+sentinel://a:1,b:2/main", "redis+cluster://a:1,b:2"])
    func botsAreGivenNoRedisThatTheyCannotRead(_ url: String) throws {
        for arguments in [["--redis", url], ["--bot-redis", url]] {
            let text = refusal { _ = try runner(arguments) }
            #expect(text?.hasPrefix("Bots know a single address of Redis") == true)
        }
        _ = try runner(["--redis", url, "--bot-redis", "redis://proxy:1"])
    }

    // MARK: The speech service

    private static let url = ["--transcription-url", "http://speech:8000/v1/audio/transcriptions"]

    @Test func aSpeechServiceIsTakenWithAllThatBelongsToIt() throws {
        #expect(try runner([]).transcription == nil)
        #expect(try runner(Self.url).transcription == TranscriptionService(url: Self.url[1]))
        let all = Self.url + ["--transcription-model", "large v3", "--transcription-tier", "deferred"]
        #expect(
            try runner(all, ["USHER_TRANSCRIPTION_TOKEN": "t0ken"]).transcription
                == TranscriptionService(url: Self.url[1], token: "t0ken", model: "large v3", tier: "deferred"))
    }

    @Test func whatIsOfNoUseIsRefused() {
        for flag in ["--transcription-token", "--transcription-model", "--transcription-tier"] {
            let text = refusal { _ = try runner([flag, "deferred"]) }
            #expect(
                text
                    == "\(flag) is given, but not the speech service that it is for: name that with --transcription-url."
            )
        }
        #expect(
            refusal { _ = try CommandLineReader(environment: [:]).read(["up", "--attend", "--launch", "true"]) }
                == "--attend and --launch are given, but there is one program for bots: leave one out.")
        for odd in ["speech", "ftp://speech", "http://", "http://u:p@speech", "http://speech?key=1"] {
            #expect(
                refusal { _ = try runner(["--transcription-url", odd]) }?.contains("--transcription-url is") == true)
        }
        #expect(
            refusal { _ = try runner(Self.url + ["--transcription-token", "sec ret"]) }?.contains("sec ret") == false)
    }

    // MARK: Programs and addresses

    @Test func aProgramThatCannotBeRunIsNamedWithItsSetting() throws {
        func refused(_ launch: String, _ cleanUp: String) throws -> String? {
            let reader = CommandLineReader(environment: [:])
            guard case .runner(let settings) = try reader.read(["runner", "--launch", launch, "--clean-up", cleanUp])
            else { throw UsageError("not runner") }
            return refusal { try settings.checkPrograms(searchPath: "/usr/bin:/bin") }
        }
        #expect(try refused("sh -c true", "/bin/sh") == nil)
        #expect(try refused("bot --fast", "sh") == "--launch names \"bot\", which is in no folder of PATH.")
        #expect(
            try refused("sh", "/nowhere/x")
                == "--clean-up names \"/nowhere/x\", which cannot be run: No such file or directory.")
    }

    @Test(arguments: ["nodes:8080", "redis://nodes", "http://", "http://nodes:0", "http://a b", "http://nodes/?x"])
    func anAddressOfNodesThatCannotBeMeantIsRefused(url: String) {
        #expect(refusal { _ = try runner(["--api-url", url]) }?.hasPrefix("--api-url is") == true)
    }

    /// Who makes the bots' user by hand, and who has it made by `usher up`, give the same rights.
    @Test func theDocumentHasTheRightsOfBots() throws {
        let document = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("docs/operations.md")
        let lines = try String(contentsOf: document, encoding: .utf8).split(separator: "\n").map(String.init)
        #expect(lines.contains(BotRights.line(user: "usher-bot", password: "PASSWORD")))
    }

    @Test func botsOfUpThatAreNoSimulatedOnesNeedRedisByTCP() {
        let socket = ["--redis", "redis+unix:///run/redis.sock"]
        #expect(message(["up"] + socket) == nil)
        #expect(message(["up", "--launch", "bot"]) == nil, "the private one has an address for them")
        #expect(message(["up", "--launch", "bot"] + socket)?.contains("--bot-redis redis://") == true)
        #expect(message(["up", "--launch", "bot", "--bot-redis", "redis://bots:p@127.0.0.1"] + socket) == nil)
    }
}
