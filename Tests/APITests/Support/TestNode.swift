import EventLoop
import Foundation
import HTTP
import Log
import Redis
import RedisTestSupport
import Synchronization
import Usher

@testable import API

/// An answer, with its body read as JSON.
struct Answer: @unchecked Sendable {
    let status: Int
    /// By name in lower case.
    let headers: [String: String]
    let body: String
    /// Nil for a body that is no JSON object. Never changed, which makes it safe to share.
    let json: [String: Any]?

    var code: Int? { json?["code"] as? Int }
    var detail: String? { json?["detail"] as? String }
    var parameters: [String: String]? { json?["parameters"] as? [String: String] }
    /// The field that a 422 names.
    var field: String? { status == 422 ? parameters?["field"] : nil }
}

/// A node in this process: one loop with a client, a store and a server, on a Redis of its own or a database of the
/// tests' shared one.
final class TestNode: Sendable {
    static let adminKey = "the admin key"

    let redis: RedisServer
    let client: Client
    private let loop: EventLoop
    private let server: Server
    private let counters: RequestCounters
    private let port: Int

    private static let databasesTaken = Mutex(0)
    private static let sharedServer = Result {
        var options = RedisServer.Options()
        options.arguments = ["--databases", "1000"]
        return try RedisServer(options)
    }

    static func with<Result: Sendable>(
        redis own: RedisServer? = nil, adminKey: String? = TestNode.adminKey, configuration: Configuration = .init(),
        _ body: @Sendable (TestNode) async throws -> Result
    ) async throws -> Result {
        let node = try await TestNode(redis: own, adminKey: adminKey, configuration)
        let result: Result
        do {
            result = try await body(node)
        } catch {
            await node.stop()
            throw error
        }
        await node.stop()
        return result
    }

    /// What its server has counted, as `method route status code count`.
    var counted: [String] {
        get async {
            await Task(executorPreference: loop) { [counters] in
                counters.answers.flatMap { answers in
                    answers.outcomes.map { "\(answers.method) \(answers.route) \($0.status) \($0.code) \($0.count)" }
                }
            }.value
        }
    }

    /// What a test may want otherwise than others.
    struct Configuration: Sendable {
        var keyRateLimit: RateLimit?
        var addressRateLimit: RateLimit?
        var trustedProxies: [AddressRange] = []
        var answerBytes = 64 << 20
    }

    private init(redis own: RedisServer?, adminKey: String?, _ configuration: Configuration) async throws {
        redis = try own ?? Self.sharedServer.get()
        var url = redis.url
        if own == nil {
            url.database = Self.databasesTaken.withLock { taken in
                taken += 1
                return taken
            }
        }
        // The requests that these tests make to fail are no news.
        let logger = Logger(minimum: .error)
        loop = try EventLoop(name: "node")
        try loop.start()
        client = Client(
            loop: loop, configuration: ClientConfiguration(url: url, name: "node", scripts: Store.scripts),
            logger: logger)
        var store = StoreConfiguration()
        store.redisTimeoutMilliseconds = 20_000
        store.keyRateLimit = configuration.keyRateLimit
        store.addressRateLimit = configuration.addressRateLimit
        var http = HTTPConfiguration()
        http.requestDeadlineMilliseconds = 20_000
        let router = Routes.make(
            store: Store(client: client, configuration: store), adminKey: adminKey, logger: logger,
            trustedProxies: configuration.trustedProxies, budget: AnswerBudget(bytes: configuration.answerBytes))
        counters = RequestCounters(router)
        http.onResponse = counters.hook
        http.errorResponse = ErrorAnswer.make
        server = Server(loop: loop, configuration: http, router: router, logger: logger)
        let listener = try Listener.bind(host: "127.0.0.1", port: 0)
        port = listener.port
        try await server.start(listener)
        let client = client
        try await Task(executorPreference: loop) {
            client.start()
            try await client.waitUntilConnected()
        }.value
    }

    private func stop() async {
        _ = await server.drain(deadline: .now().advanced(byMilliseconds: 10_000))
        loop.execute { self.client.shutDown() }
        loop.stop()
        loop.join()
    }

    // MARK: Requests

    /// Sends a request on a connection of its own.
    func request(
        _ method: String, _ path: String, headers: [String: String] = [:], body: String? = nil
    ) throws -> Answer {
        let socket = try BlockingSocket(port: port)
        var text = "\(method) \(path) HTTP/1.1\r\nHost: usher\r\nConnection: close\r\n"
        for (name, value) in headers { text += "\(name): \(value)\r\n" }
        if let body { text += "Content-Length: \(body.utf8.count)\r\n" }
        socket.write(text + "\r\n" + (body ?? ""))
        guard let statusLine = socket.readLine(), let status = Int(statusLine.split(separator: " ")[1]) else {
            throw TestServerError("no answer to \(method) \(path)")
        }
        var fields: [String: String] = [:]
        while let line = socket.readLine(), !line.isEmpty {
            let colon = line.firstIndex(of: ":") ?? line.endIndex
            fields[line[..<colon].lowercased()] = line[colon...].dropFirst().trimmingCharacters(in: .whitespaces)
        }
        var bytes: [UInt8] = []
        while let byte = socket.readByte() { bytes.append(byte) }
        let json = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
        return Answer(status: status, headers: fields, body: String(decoding: bytes, as: UTF8.self), json: json)
    }

    func admin(_ method: String, _ path: String, body: String? = nil) throws -> Answer {
        try request(method, "/admin" + path, headers: ["X-Admin-API-Key": Self.adminKey], body: body)
    }

    // MARK: Redis

    /// Sends a command to the node's database.
    @discardableResult
    func redis(_ words: String...) async throws -> Value {
        let client = client
        return try await Task(executorPreference: loop) {
            try await client.send(Command(words: words), deadline: Client.soon)
        }.value
    }

    func waitUntilConnected() async throws {
        let client = client
        try await Task(executorPreference: loop) { try await client.waitUntilConnected() }.value
    }

    // MARK: Records

    /// A workspace with an owner and the owner's API key.
    func makeWorkspace() throws -> TestWorkspace {
        let email = "\(UUID().uuidString)@example.com"
        let user = try admin("POST", "/users", body: "{\"email\":\"\(email)\"}")
        guard let id = user.json?["id"] as? Int, let workspace = user.json?["workspace_id"] as? String else {
            throw TestServerError("no user: \(user.body)")
        }
        let key = try makeKey(workspace: workspace, user: id)
        return TestWorkspace(node: self, id: workspace, userID: id, key: key)
    }

    func makeKey(workspace: String, user: Int, scopes: String = "[\"seameet\"]") throws -> String {
        let answer = try admin(
            "POST", "/workspaces/\(workspace)/keys", body: "{\"user_id\":\(user),\"scopes\":\(scopes)}")
        guard let key = answer.json?["key"] as? String else { throw TestServerError("no key: \(answer.body)") }
        return key
    }
}

struct TestWorkspace: Sendable {
    let node: TestNode
    let id: String
    let userID: Int
    let key: String

    var meetingsPath: String { "/api/v1/public/meeting/\(id)/meetings" }

    func request(_ method: String, _ path: String = "", key: String? = nil, body: String? = nil) throws -> Answer {
        try node.request(
            method, meetingsPath + path, headers: ["Authorization": "Bearer \(key ?? self.key)"], body: body)
    }

    func makeMeeting(_ url: String = "https://meet.google.com/abc-defg-hij") throws -> String {
        let answer = try request("POST", body: "{\"meeting_url\":\"\(url)\"}")
        guard let id = answer.json?["meeting_id"] as? String else {
            throw TestServerError("no meeting: \(answer.body)")
        }
        return id
    }

    func reinvite(_ meeting: String, body: String? = nil, key: String? = nil) throws -> Answer {
        try request("POST", "/\(meeting)/reinvite_bot", key: key, body: body)
    }
}
