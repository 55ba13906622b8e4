import BotWire
import EventLoop
import Foundation
import HTTP
import Log
import Redis
import RedisTestSupport
import Synchronization

@testable import SimulatedBot

/// A report as a server sees it.
struct ReceivedReport: Sendable {
    let secret: String?
    let body: String

    /// A member of the body, as text; nil if the body is no object or has no such member.
    func member(_ name: String) -> String? {
        let object = try? JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any]
        return object?[name].map { "\($0)" }
    }

    var status: String? { member("status") }
}

/// One bot in this process with a server for its reports, on loops of their own, and a real Redis.
final class BotFixture: Sendable {
    static let secret = "the-bots-own-secret"

    let botID = UUID().uuidString.lowercased()
    let meeting = Int.random(in: 1...1_000_000_000)
    let room = "abc-defg-hij"
    let folder: URL
    let redis: RedisServer
    let bot: SimulatedBot
    let configuration: BotConfiguration
    private let botLoop: EventLoop
    private let serverLoop: EventLoop
    private let record = Record()

    /// - Parameter answer: the status that a report is answered with, given its number from 0.
    init(
        _ behaviours: Set<Simulation.Behaviour> = [], redis: RedisServer? = nil,
        configure: (inout BotConfiguration, inout Simulation) -> Void = { _, _ in },
        answer: @escaping @Sendable (ReceivedReport, Int) -> Int = { _, _ in 200 }
    ) async throws {
        self.redis = try redis ?? RedisServer.shared()
        folder = try TemporaryFolder.make()
        botLoop = try EventLoop(name: "bot")
        serverLoop = try EventLoop(name: "callback")
        try botLoop.start()
        try serverLoop.start()

        let record = record
        let listener = try Listener.bind(host: "127.0.0.1", port: 0, reusesPort: false)
        let port = listener.port
        var router = Router()
        router.add(
            .post, "/internal/bots/{bot_id}/status",
            synchronous: { request in
                let report = ReceivedReport(
                    secret: request.header("x-internal-secret"), body: String(decoding: request.body, as: UTF8.self))
                let number = record.reports.withLock { reports in
                    reports.append(report)
                    return reports.count - 1
                }
                return Response(status: Status(answer(report, number)))
            })
        let server = Server(loop: serverLoop, router: router, logger: Logger(minimum: .error))
        try await server.start(listener)

        var configuration = try BotConfiguration(
            json: """
                {"platform":"google_meet","meetingUrl":"https://meet.google.com/\(room)","botName":"Usher",
                "redisUrl":"redis+unix://\(self.redis.socketPath)","nativeMeetingId":"\(room)",
                "connectionId":"\(botID)","meeting_id":\(meeting),"internalSecret":"\(Self.secret)",
                "meetingApiCallbackUrl":"http://127.0.0.1:\(port)/internal/bots/\(botID)/status"}
                """)
        var simulation = Simulation()
        simulation.joinMilliseconds = 20
        simulation.lobbyMilliseconds = 20
        simulation.segmentMilliseconds = 20
        simulation.behaviours = behaviours
        simulation.presenceFolder = folder.path
        configure(&configuration, &simulation)
        self.configuration = configuration
        bot = try SimulatedBot(
            loop: botLoop, configuration: configuration, simulation: simulation, logger: Logger(minimum: .error))
        Task(executorPreference: botLoop) { [bot] in
            let code = await bot.run()
            record.exit.withLock { $0 = code }
        }
    }

    deinit {
        for loop in [botLoop, serverLoop] { loop.stop() }
    }

    // MARK: What has been seen

    var received: [ReceivedReport] { record.reports.withLock { $0 } }
    var statuses: [String] { received.map { $0.status ?? "?" } }
    var exitCode: Int32? { record.exit.withLock { $0 } }

    /// Waits until the bot has ended.
    func ended() async throws -> Int32 {
        try await waitFor("the bot has ended, after \(statuses)") { self.exitCode != nil }
        return exitCode!
    }

    func reported(_ status: String) async throws {
        try await waitFor("the bot has reported \(status)") { self.statuses.contains(status) }
    }

    /// The lines of the presence file.
    var presence: [String] { lines("log") }

    /// The lines of the file of acknowledged segments.
    var acknowledged: [String] { lines("segments") }

    private func lines(_ kind: String) -> [String] {
        let file = folder.appendingPathComponent("google_meet:\(room).\(kind)")
        return ((try? String(contentsOf: file, encoding: .utf8)) ?? "").split(separator: "\n").map(String.init)
    }

    // MARK: What is done to it

    func stop() {
        botLoop.execute { [bot] in bot.stop() }
    }

    /// Publishes a command, once somebody is there to hear it.
    func command(_ text: String) async throws {
        let meeting = meeting
        try await withRedis { client in
            try await waitFor("the bot hears \(text)") {
                try await client.send("PUBLISH", "bot_commands:meeting:\(meeting)", text) == .integer(1)
            }
        }
    }

    func withRedis<Outcome: Sendable>(
        _ body: @escaping @Sendable (Client) async throws -> Outcome
    ) async throws -> Outcome {
        try await withClient(ClientConfiguration(url: redis.url, name: "test")) { client in
            try await client.waitUntilConnected()
            return try await body(client)
        }
    }

    /// This bot's entries of the stream of transcripts, in order.
    func entries() async throws -> [String] {
        let (botID, meeting) = (botID, meeting)
        return try await withRedis { client in
            let entries = try await client.send("XRANGE", "transcription_segments", "-", "+").array ?? []
            return entries.compactMap { $0.array?[1].array?[1].string }
                .filter { $0.contains(botID) || $0.contains(":\(meeting)") || $0.contains("\"\(meeting)\"") }
        }
    }

    /// The segments of those entries that are transcriptions.
    func segments() async throws -> [[String: Any]] {
        try await entries().flatMap { text in
            let object = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
            return object?["type"] as? String == "transcription" ? object?["segments"] as? [[String: Any]] ?? [] : []
        }
    }

    private final class Record: Sendable {
        let reports = Mutex<[ReceivedReport]>([])
        let exit = Mutex<Int32?>(nil)
    }
}
