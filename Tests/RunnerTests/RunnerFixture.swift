import EventLoop
import Foundation
import Log
import Redis
import RedisTestSupport
import Synchronization

@testable import Runner
@testable import Usher

/// A Redis of its own with a workspace, and runners on one loop. The test plays the nodes: it asks for bots, and
/// reports in their names.
final class RunnerFixture: Sendable {
    let server: RedisServer
    let folder: URL
    let loop: EventLoop
    let client: Client
    let store: Store
    var session: Session { store.session(until: Client.soon) }
    let caller: Caller
    private let runners = Mutex<[Runner]>([])

    private init(server: RedisServer, loop: EventLoop, client: Client, store: Store, caller: Caller) throws {
        self.server = server
        self.loop = loop
        self.client = client
        self.store = store
        self.caller = caller
        folder = try TemporaryFolder.make()
    }

    /// Runs `body` on the loop, and ends every runner and its bots afterwards.
    static func use(
        inFlightMilliseconds: Int = 600_000, _ body: @escaping @Sendable (RunnerFixture) async throws -> Void
    ) async throws {
        let server = try RedisServer()
        var configuration = StoreConfiguration()
        configuration.inFlightTimeToLiveMilliseconds = inFlightMilliseconds
        configuration.defaultMaximumConcurrentBots = 1_000
        // A loaded machine may be slow to answer.
        configuration.redisTimeoutMilliseconds = 30_000
        let records = configuration
        try await withClient(ClientConfiguration(url: server.url, name: "test", scripts: Store.scripts)) { client in
            try await client.waitUntilConnected()
            let store = Store(client: client, configuration: records)
            let administration = Administration(store.session(until: Client.soon))
            let user = try await administration.createUser(NewUser(email: "test@example.com")).user
            let caller = Caller(
                keyID: "test", workspaceID: user.workspaceID, userID: String(user.id), scopes: ["bots"])
            let fixture = try RunnerFixture(
                server: server, loop: client.loop, client: client, store: store, caller: caller)
            do {
                try await body(fixture)
            } catch {
                await fixture.end()
                throw error
            }
            await fixture.end()
        }
    }

    private func end() async {
        server.resume()
        for runner in runners.withLock({ $0 }) {
            runner.stop()
            runner.stop()
            await runner.waitUntilEnded()
            runner.shutDown()
        }
    }

    // MARK: Runners

    /// Starts a runner of bots that are shell scripts.
    /// - Parameter leaseMilliseconds: a minute by default, so that a loaded machine loses no lease.
    @discardableResult
    func start(
        capacity: Int = 20, leaseMilliseconds: Int = 60_000, _ script: String,
        _ change: (inout RunnerConfiguration) -> Void = { _ in }
    ) throws -> Runner {
        let file = folder.appendingPathComponent("bot-\(UInt32.random(in: 0 ... .max)).sh")
        try script.write(to: file, atomically: true, encoding: .utf8)
        var configuration = RunnerConfiguration(
            redis: server.url, botRedisURL: "redis://bots:password@redis:6379/0", apiURL: "http://nodes:8080/",
            capacity: capacity, launch: try LaunchCommand("sh \(file.path) {bot_id} {number} {container_name}"),
            supervisor: Binary.supervisor, host: "test")
        configuration.environment = ["PATH": "/usr/local/bin:/usr/bin:/bin"]
        configuration.leaseTimeToLiveMilliseconds = leaseMilliseconds
        configuration.redisTimeoutMilliseconds = min(2_000, leaseMilliseconds / 3)
        configuration.blockMilliseconds = 200
        change(&configuration)
        let runner = Runner(
            loop: loop, configuration: configuration, storeConfiguration: StoreConfiguration(),
            logger: Logger(minimum: .error))
        runners.withLock { $0.append(runner) }
        runner.start()
        return runner
    }

    /// A file in the test's folder.
    func file(_ name: String) -> URL { folder.appendingPathComponent(name) }

    func text(_ name: String) -> String { (try? String(contentsOf: file(name), encoding: .utf8)) ?? "" }

    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: file(name).path) }

    // MARK: Records

    /// Asks for a bot into a room of its own.
    func request(language: String? = nil) async throws -> Meeting {
        let number = try await client.send("INCR", "test:rooms").integerOrThrow()
        let link = try MeetingLink(platform: .zoom, nativeID: String(100_000_000 + number))
        return try await session.bots.request(BotRequest(link: link, language: language), by: caller, trace: .ofTests)
            .meeting
    }

    func requests(_ count: Int) async throws -> [Meeting] {
        var meetings: [Meeting] = []
        for _ in 0..<count { meetings.append(try await request()) }
        return meetings
    }

    func record(_ meeting: Meeting) async throws -> Meeting {
        guard
            let record = try await session.meetings.meeting(id: meeting.id, workspace: caller.workspaceID)
        else { throw TestServerError("the meeting has gone") }
        return record
    }

    func bot(_ meeting: Meeting) async throws -> [String: String] {
        let id = try await record(meeting).botID ?? ""
        return try await client.send("HGETALL", Partition(bot: id)?.bot(id) ?? "none").hash()
    }

    /// Waits until the record is as wanted.
    func wait(_ what: String, _ meeting: Meeting, until condition: (Meeting) -> Bool) async throws {
        let deadline = MonotonicTime.now().advanced(byMilliseconds: 60_000)
        while true {
            let record = try await record(meeting)
            if condition(record) { return }
            guard MonotonicTime.now() < deadline else {
                throw TestServerError("this did not happen in 60 s: \(what); the record is \(record.fields)")
            }
            await loop.wait(milliseconds: 5)
        }
    }

    /// Waits until a runner has the bot.
    func waitUntilClaimed(_ meeting: Meeting) async throws {
        try await wait("a runner claims the bot", meeting) { $0.fields["bot_container_id"] != nil }
    }

    /// Reports in the bot's name.
    func report(_ statuses: BotStatus..., of meeting: Meeting) async throws {
        guard let place = try await record(meeting).botPlace else { throw TestServerError("there is no bot") }
        for status in statuses {
            let outcome = try await session.bots.report(BotReport(status: status), from: place)
            guard case .taken = outcome else { throw TestServerError("\(status) was not taken: \(outcome)") }
        }
    }

    func stop(_ meeting: Meeting) async throws {
        _ = try await session.bots.stop(in: meeting.room, by: caller)
    }

    /// How many dispatches are pending at each consumer, over all partitions.
    func pending() async throws -> [String: Int] {
        var result: [String: Int] = [:]
        for partition in Partition.all {
            guard let reply = try? await client.send("XPENDING", partition.dispatch, "runners") else { continue }
            for consumer in reply.array?.last?.array ?? [] {
                let parts = try consumer.arrayOrThrow()
                result[try parts[0].stringOrThrow(), default: 0] += Int(try parts[1].stringOrThrow()) ?? 0
            }
        }
        return result
    }

    /// How many dispatches stand in the streams.
    func waiting() async throws -> Int {
        var count = 0
        for partition in Partition.all { count += try await client.send("XLEN", partition.dispatch).integerOrThrow() }
        return count
    }

    /// Waits on the loop until `condition` holds.
    func wait(_ what: String, _ condition: () async throws -> Bool) async throws {
        let deadline = MonotonicTime.now().advanced(byMilliseconds: 60_000)
        while !(try await condition()) {
            guard MonotonicTime.now() < deadline else { throw TestServerError("this did not happen in 60 s: \(what)") }
            await loop.wait(milliseconds: 5)
        }
    }
}
