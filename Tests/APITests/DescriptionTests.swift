import EventLoop
import Foundation
import HTTP
import Log
import Redis
import RedisTestSupport
import TestTurns
import Testing
import Usher

@testable import API

@Suite(.takesTurns) struct DescriptionTests {
    private static var document: [String: Any]? {
        try? JSONSerialization.jsonObject(with: Data(APIDescription.openAPI.utf8)) as? [String: Any]
    }

    /// The value at a path of member names.
    private static func value<Value>(_ path: String..., as type: Value.Type = Value.self) throws -> Value {
        let found = path.reduce(document as Any?) { value, name in (value as? [String: Any])?[name] }
        return try #require(found as? Value, "no \(path)")
    }

    /// All that a node serves, on a loop and a client that are never started.
    private static func router() throws -> Router {
        let logger = Logger(minimum: .error)
        let client = Client(
            loop: try EventLoop(name: "none"),
            configuration: ClientConfiguration(
                url: try RedisURL("redis://127.0.0.1:1/0"), name: "none", scripts: Store.scripts), logger: logger)
        return Routes.make(
            store: Store(client: client, configuration: StoreConfiguration()), adminKey: nil, logger: logger,
            budget: AnswerBudget(bytes: 1_000), metrics: MetricsEndpoint { [] })
    }

    /// Adding a route without describing it, or the other way round, fails here.
    @Test func whatIsServedAndWhatIsDescribedAreTheSame() throws {
        let served = try Self.router().routes.map { "\($0.method) \($0.pattern)" }.sorted()
        #expect(served == APIDescription.operations.map { "\($0.method) \($0.path)" }.sorted())
        let paths = try Self.value("paths", as: [String: [String: Any]].self)
        let documented = paths.flatMap { path, methods in methods.keys.map { "\($0.uppercased()) \(path)" } }
        #expect(documented.sorted() == served)
    }

    @Test func everyOperationIsDescribedInFull() {
        let operations = APIDescription.operations
        let withoutBody: Set = [
            "createToken", "rotateWebhookSecret", "testWebhook", "redeliverEvent", "syncCalendar", "createLiveTicket",
        ]
        #expect(Set(operations.map(\.id)).count == operations.count)
        for operation in operations {
            let inPattern = operation.path.split(separator: "/").filter { $0.hasPrefix("{") }
                .map { String($0.dropFirst().dropLast()) }
            let described = operation.parameters.filter { $0.place == .path }.map(\.name)
            #expect(described.sorted() == inPattern.sorted(), "\(operation.id)")
            #expect(!operation.summary.isEmpty && !operation.answers.isEmpty, "\(operation.id)")
            #expect(
                (operation.body != nil) == ["POST", "PUT", "PATCH"].contains(operation.method.name)
                    || withoutBody.contains(operation.id), "\(operation.id)")
        }
    }

    /// The table of the Re-invite API's document: each row's status and code, and each of them once.
    @Test func everyRefusalIsDescribedWithItsStatusAndCode() throws {
        let described = DescriptionTests.codes(of: ReinviteEndpoint.reinvite.operation)
        for refusal in EnvelopeTests.refusals {
            let error = APIError(refusal, meetingID: "m", workspaceID: "w")
            #expect(described.contains("\(error.status) \(error.code)"), "\(refusal)")
        }
        let own = ReinviteEndpoint.reinvite.operation.errors.map(\.error.code).filter { $0 >= 12_000 }
        #expect(own.sorted() == Array(12100...12111))
        // What a caller sees of it.
        let schema: [String: Any] = try Self.value(
            "paths", ReinviteEndpoint.reinvite.operation.path, "post", "responses", "409", "content",
            "application/json",
            "schema")
        let codes = ((schema["properties"] as? [String: Any])?["code"] as? [String: Any])?["enum"] as? [Int]
        #expect(codes == [12103, 12104, 12105, 12106, 12107, 12110, 12111])
    }

    private static func codes(of operation: API.Operation) -> Set<String> {
        Set(operation.errorsByStatus.flatMap { $0.errors.map { "\($0.error.status) \($0.error.code)" } })
    }

    /// What the administration refuses, in every way that it can.
    @Test func everyAdministrativeRefusalIsDescribedSomewhere() {
        let all = AdminAPI.endpoints.reduce(into: Set<String>()) { $0.formUnion(Self.codes(of: $1.operation)) }
        for refusal in EnvelopeTests.administrativeRefusals {
            let error = APIError(refusal)
            #expect(all.contains("\(error.status) \(error.code)"), "\(refusal)")
        }
    }

    @Test func everyReferenceLeadsSomewhere() throws {
        let text = APIDescription.openAPI
        let document = Self.document
        let references = Set(
            text.components(separatedBy: "\"$ref\":\"#/").dropFirst().map { String($0.prefix { $0 != "\"" }) })
        for reference in references {
            let found = reference.split(separator: "/").reduce(document as Any?) { value, name in
                (value as? [String: Any])?[String(name)]
            }
            #expect(found != nil, "\(reference)")
        }
    }

    @Test func theDocumentIsServedWithATag() async throws {
        try await TestNode.with { node in
            let answer = try node.request("GET", "/openapi.json")
            #expect(answer.status == 200 && answer.headers["content-type"] == "application/json")
            #expect(answer.body == APIDescription.openAPI && answer.json?["openapi"] as? String == "3.1.0")
            let tag = try #require(answer.headers["etag"])
            for known in [tag, "\"other\", W/\(tag)", "*"] {
                let answer = try node.request("GET", "/openapi.json", headers: ["If-None-Match": known])
                #expect(answer.status == 304 && answer.body.isEmpty && answer.headers["etag"] == tag, "\(known)")
            }
            let other = try node.request("GET", "/openapi.json", headers: ["If-None-Match": "\"other\""])
            #expect(other.status == 200)
            let head = try node.request("HEAD", "/openapi.json")
            #expect(head.status == 200 && head.body.isEmpty && head.headers["etag"] == tag)
            #expect(head.headers["content-length"] == String(answer.body.utf8.count))
        }
    }

    @Test func jsonIsWrittenInOrderAndIndented() {
        let value: OrderedJSON = ["b": [1, 2.5, true, nil], "a": ["text \"{[,:\\"], "none": [], "empty": [:]]
        #expect(value.json == #"{"b":[1,2.5,true,null],"a":["text \"{[,:\\"],"none":[],"empty":{}}"#)
        #expect(
            value.indentedJSON == """
                {
                  "b": [
                    1,
                    2.5,
                    true,
                    null
                  ],
                  "a": [
                    "text \\"{[,:\\\\"
                  ],
                  "none": [],
                  "empty": {}
                }
                """)
    }
}
