import HTTP
import Usher

/// What is said of one endpoint: the source of `/openapi.json` and of `/docs`.
struct Operation: Sendable {
    let method: Method
    /// The pattern of the route.
    let path: String
    /// The `operationId`, which is the anchor in `/docs` too.
    let id: String
    let section: Section
    let access: Credentials
    /// A few words, as a heading.
    let summary: String
    /// Paragraphs; code stands in backticks.
    var details = ""
    var parameters: [Parameter] = []
    var body: RequestBody?
    /// The answers of success.
    let answers: [Answer]
    /// The errors of its own: those of its access, of the records and of the HTTP layer are added.
    var errors: [DescribedError] = []
}

/// The parts of the API.
enum Section: String, CaseIterable, Sendable {
    case reinvite, bots, `internal`, admin, operations

    var title: String {
        switch self {
        case .reinvite: "Re-invite API"
        case .bots: "Bots API"
        case .internal: "Bots' own API"
        case .admin: "Administration"
        case .operations: "Operations"
        }
    }

    /// What a port must be for to serve it; nil where that is the endpoint's own affair.
    var surface: Surface? {
        switch self {
        case .reinvite, .bots: .api
        case .internal: .internal
        case .admin: .admin
        case .operations: nil
        }
    }

    var style: ErrorStyle {
        switch self {
        case .reinvite, .operations: .reinvite
        case .bots, .internal: .bots
        case .admin: .admin
        }
    }

    var meaning: String {
        switch self {
        case .reinvite: "Meetings of a workspace, and sending a bot into one of them: exactly one."
        case .bots:
            "Bots by the room that they are in, and the meetings and transcripts of the key's own workspace. The "
                + "Python client `vexa-client` speaks it."
        case .internal: "What a bot tells of itself, with the secret that it was started with."
        case .admin:
            "Users, workspaces, members and API keys, and how the whole service is, for whoever has the admin key."
        case .operations: "How the node is, this description, and the console."
        }
    }
}

struct Parameter: Sendable {
    enum Place: String { case path, query, header }

    let name: String
    let place: Place
    let schema: Schema
    let meaning: String
    let example: OrderedJSON?

    static func path(
        _ name: String, _ schema: Schema, _ meaning: String, example: OrderedJSON
    ) -> Parameter {
        Parameter(name: name, place: .path, schema: schema, meaning: meaning, example: example)
    }

    static func query(_ name: String, _ schema: Schema, _ meaning: String) -> Parameter {
        Parameter(name: name, place: .query, schema: schema, meaning: meaning, example: nil)
    }
}

struct RequestBody: Sendable {
    let schema: Schema
    var isRequired = true
    let examples: [(title: String, value: OrderedJSON)]
    /// Reads a body as the endpoint does, for those who try it.
    var attempt: @Sendable ([UInt8]) throws -> Void = { _ in }
}

/// An answer of success.
struct Answer: Sendable {
    enum Content: Sendable {
        case none
        case json(Schema, example: OrderedJSON)
        /// One of these media types, without parameters.
        case other(types: [String])

        static func other(type: String) -> Content { .other(types: [type]) }
    }

    let status: Status
    let meaning: String
    let content: Content
    /// Header fields beside those that every answer has.
    var headers: [(name: String, meaning: String)] = []
    /// Media types of further forms of the answer, which are texts.
    var forms: [String] = []

    static func json(
        _ status: Status, _ meaning: String, _ schema: Schema, example: OrderedJSON, or forms: [String] = []
    ) -> Answer {
        Answer(status: status, meaning: meaning, content: .json(schema, example: example), forms: forms)
    }

    var namedSchemas: [NamedSchema] {
        if case .json(let schema, _) = content { schema.namedSchemas } else { [] }
    }

    static func empty(_ meaning: String) -> Answer {
        Answer(status: 204, meaning: meaning, content: .none)
    }
}
