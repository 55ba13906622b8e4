import HTTP
import Usher

/// The description of the API as OpenAPI 3.1 (spec.openapis.org/oas/v3.1.0).
struct OpenAPIDocument: Sendable {
    static let mediaType = "application/json"

    let operations: [Operation]

    /// The document as JSON text.
    var json: String { tree.json }

    private var tree: OrderedJSON {
        [
            "openapi": "3.1.0",
            "info": ["title": "Usher", "version": .string(usherVersion), "description": .string(Self.introduction)],
            // Wherever the document was fetched from.
            "servers": [["url": "/"]],
            "tags": .list(
                Section.allCases.map {
                    ["name": .string($0.title), "description": .string($0.meaning)]
                }),
            "paths": .members(paths),
            "components": [
                "schemas": .members(schemas), "responses": .members(sharedResponses), "headers": Self.headers,
                "securitySchemes": Self.securitySchemes,
            ],
        ]
    }

    /// What holds for all operations, in paragraphs.
    static let introduction = """
        Usher sends exactly one bot into each meeting.

        Bodies are JSON in UTF-8; members of a request that are not known are ignored. Whatever is served to GET is \
        served to HEAD too, and OPTIONS tells the methods of a path.

        Every answer carries `X-Request-Id`: the caller's own if it sent one. An error says in `detail` what happened \
        and what to do. In the Re-invite API its form is `{"detail", "code", "parameters"}`, in the Bots API \
        `{"error", "detail"}` with the parameters beside them, and `/admin` has all four.

        Beside what stands with each operation, a request is answered 404 where its path is not served, 405 with \
        `Allow` where its method is not, 501 for a method that HTTP does not know and 505 for another version than \
        HTTP/1.0 and 1.1, each in the form of the API that the path belongs to. What cannot be read as far as its path \
        is answered in the form of the Re-invite API.
        """

    // MARK: Paths

    private var paths: [(name: String, value: OrderedJSON)] {
        var order: [String] = []
        for operation in operations where !order.contains(operation.path) { order.append(operation.path) }
        return order.map { path in
            let there = operations.filter { $0.path == path }
            return (path, .members(there.map { ($0.method.name.lowercased(), describe($0)) }))
        }
    }

    private func describe(_ operation: Operation) -> OrderedJSON {
        .members([
            "operationId": .string(operation.id),
            "tags": [.string(operation.section.title)],
            "summary": .string(operation.summary),
            "description": operation.fullDetails.isEmpty ? nil : .string(operation.fullDetails),
            "security": operation.access.security,
            "parameters": operation.parameters.isEmpty ? nil : .list(operation.parameters.map(Self.describe)),
            "requestBody": operation.body.map(Self.describe),
            "responses": .members(
                operation.answers.map { (String($0.status.code), Self.describe($0)) }
                    + operation.errorsByStatus.map {
                        (String($0.status.code), ErrorResponse($0.status, $0.errors, operation.style).json)
                    }),
        ])
    }

    private static func describe(_ parameter: Parameter) -> OrderedJSON {
        .members([
            "name": .string(parameter.name), "in": .string(parameter.place.rawValue),
            "required": parameter.place == .path ? true : nil, "description": .string(parameter.meaning),
            "schema": parameter.schema.json(), "example": parameter.example,
        ])
    }

    private static func describe(_ body: RequestBody) -> OrderedJSON {
        let examples = body.examples.map { ($0.title, OrderedJSON.members(["value": $0.value])) }
        return [
            "required": .bool(body.isRequired),
            "content": .members([mediaType: ["schema": body.schema.json(), "examples": .members(examples)]]),
        ]
    }

    private static func forms(
        _ type: String, _ main: OrderedJSON, _ others: [String]
    ) -> [(name: String, value: OrderedJSON)] {
        [(name: type, value: main)] + others.map { (name: $0, value: ["schema": ["type": "string"]]) }
    }

    private static func describe(_ answer: Answer) -> OrderedJSON {
        let content: OrderedJSON? =
            switch answer.content {
            case .none: nil
            case .json(let schema, let example):
                .members(forms(mediaType, ["schema": schema.json(), "example": example], answer.forms))
            case .other(let types): .members(types.map { ($0, ["schema": ["type": "string"]]) })
            }
        let own = answer.headers.map { header in
            (header.name, OrderedJSON.members(["description": .string(header.meaning), "schema": ["type": "string"]]))
        }
        return .members([
            "description": .string(answer.meaning),
            "headers": .members(own + [ErrorResponse.requestID]), "content": content,
        ])
    }

    // MARK: Components

    private var schemas: [(name: String, value: OrderedJSON)] {
        namedSchemas.map { ($0.name, $0.schema.json($0.meaning)) }
    }

    /// Each that an operation leads to, and the forms of errors.
    var namedSchemas: [NamedSchema] {
        let used = operations.flatMap { operation -> [NamedSchema] in
            let ofBody = operation.body?.schema.namedSchemas ?? []
            return ofBody + operation.answers.flatMap(\.namedSchemas)
        }
        var known: Set<String> = []
        return (used + ErrorResponse.schemas).filter { known.insert($0.name).inserted }
    }

    /// What the HTTP layer answers to operations of each form.
    private var sharedResponses: [(name: String, value: OrderedJSON)] {
        let styles: [ErrorStyle] = [.reinvite, .bots, .admin]
        return styles.flatMap { style in
            DescribedError.ofHTTPLayer.map { described in
                let response = ErrorResponse(described.error.status, [described], style)
                return (response.sharedName, response.described)
            }
        }
    }

    private static let headers: OrderedJSON = [
        "X-Request-Id": [
            "description": "The request's id: the caller's own if it sent one.", "required": true,
            "schema": ["type": "string", "minLength": 1],
        ],
        "Retry-After": [
            "description": "Seconds after which it may be tried again.",
            "schema": ["type": "integer", "minimum": 1],
        ],
        "WWW-Authenticate": [
            "description": "How to authenticate.", "required": true, "schema": ["type": "string"],
        ],
    ]

    private static let securitySchemes: OrderedJSON = [
        "bearer": [
            "type": "http", "scheme": "bearer", "description": "A workspace's API key: `Authorization: Bearer <key>`.",
        ],
        "apiKey": [
            "type": "apiKey", "in": "header", "name": "X-API-Key", "description": "A workspace's API key.",
        ],
        "adminKey": [
            "type": "apiKey", "in": "header", "name": "X-Admin-API-Key",
            "description": "The admin key that the nodes were started with (`USHER_ADMIN_KEY`).",
        ],
        "botSecret": [
            "type": "apiKey", "in": "header", "name": "x-internal-secret",
            "description": "The secret that the bot was started with.",
        ],
    ]
}

extension Credentials {
    /// What OpenAPI's `security` says: one of the schemes, with the scope that the key needs.
    fileprivate var security: OrderedJSON {
        switch self {
        case .open: []
        case .apiKey(let scope, _):
            [["bearer": [.string(scope.rawValue)]], ["apiKey": [.string(scope.rawValue)]]]
        case .adminKey: [["adminKey": []]]
        case .botSecret: [["botSecret": []]]
        }
    }

    /// A sentence for people.
    var sentence: String? {
        switch self {
        case .open: nil
        case .apiKey(let scope, let role):
            "Needs an API key with the scope `\(scope.rawValue)`, whose user has the role \(role.rawValue)"
                + (role == .owner ? "" : " or a higher one") + " in the workspace."
        case .adminKey: "Needs the admin key."
        case .botSecret: "Needs the bot's own secret."
        }
    }
}

extension Operation {
    /// The details with what access takes.
    var fullDetails: String {
        [details, access.sentence ?? ""].filter { !$0.isEmpty }.joined(separator: "\n\n")
    }
}
