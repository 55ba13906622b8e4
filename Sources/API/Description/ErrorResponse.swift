import HTTP

/// All errors of one status that an operation can answer with, as OpenAPI has them.
struct ErrorResponse {
    private let status: Status
    private let errors: [DescribedError]
    private let style: ErrorStyle

    init(_ status: Status, _ errors: [DescribedError], _ style: ErrorStyle) {
        self.status = status
        self.errors = errors
        self.style = style
    }

    /// A reference where there is none of the operation's own.
    var json: OrderedJSON {
        if errors.count == 1, DescribedError.ofHTTPLayer.contains(where: { $0.meaning == errors[0].meaning }) {
            return ["$ref": .string("#/components/responses/\(sharedName)")]
        }
        return described
    }

    var sharedName: String {
        let prefix =
            switch style {
            case .reinvite: ""
            case .bots: "Bots"
            case .admin: "Admin"
            }
        return "\(prefix)HTTP\(status.code)"
    }

    var described: OrderedJSON {
        var headers = [Self.requestID]
        if errors.contains(where: { $0.error.retryAfterSeconds != nil }) { headers.append(Self.retryAfter) }
        if status == 401 { headers.append(Self.authenticate) }
        return [
            "description": .string(text), "headers": .members(headers),
            "content": .members([OpenAPIDocument.mediaType: ["schema": schema, "examples": .members(examples)]]),
        ]
    }

    /// The meanings: a list where the errors can be told apart.
    private var text: String {
        let meanings = errors.map { ($0.label(style), $0.meaning) }
        if meanings.count == 1 { return meanings[0].1 }
        return meanings.map { "- `\($0)`: \($1)" }.joined(separator: "\n")
    }

    /// The form of the API's errors, with the codes or titles that this status can have.
    private var schema: OrderedJSON {
        var rules: [(name: String, value: OrderedJSON)] = []
        if style != .reinvite { rules.append(("error", ["enum": unique { .string($0.error.title) }])) }
        if style != .bots { rules.append(("code", ["enum": unique { .integer($0.error.code) }])) }
        let own: OrderedJSON = [
            "$ref": .string("#/components/schemas/\(Self.schema(of: style).name)"), "properties": .members(rules),
        ]
        // What could not be read as far as its path has the form of the Re-invite API.
        guard style != .reinvite, Self.beforeThePath.contains(status) else { return own }
        return ["anyOf": [own, Schema.named(Self.schema(of: .reinvite)).json()]]
    }

    private static let beforeThePath: Set<Status> = [400, 408, 414]

    private func unique(_ value: (DescribedError) -> OrderedJSON) -> OrderedJSON {
        .list(
            errors.reduce(into: [OrderedJSON]()) { found, error in
                let value = value(error)
                if !found.contains(value) { found.append(value) }
            })
    }

    /// One for each label: the body that the code itself makes of the error.
    private var examples: [(name: String, value: OrderedJSON)] {
        var known: Set<String> = []
        return errors.filter { known.insert($0.label(style)).inserted }.map { described in
            let body = String(decoding: described.error.body(style), as: UTF8.self)
            return (described.label(style), .members(["value": .text(body)]))
        }
    }

    // MARK: Components

    static let requestID = header("X-Request-Id")
    private static let retryAfter = header("Retry-After")
    private static let authenticate = header("WWW-Authenticate")

    private static func header(_ name: String) -> (name: String, value: OrderedJSON) {
        (name, ["$ref": .string("#/components/headers/\(name)")])
    }

    static let schemas = [schema(of: .reinvite), schema(of: .bots), schema(of: .admin)]

    static func schema(of style: ErrorStyle) -> NamedSchema {
        switch style {
        case .reinvite: envelope
        case .bots: bots
        case .admin: admin
        }
    }

    private static let detail = Schema.Property.required(
        "detail", .string, "What happened and what to do, for the person who reads it.")
    private static let code = Schema.Property.required(
        "code", .integer, "12100 to 12111 as the operation says; else the HTTP status.")
    private static let parameters = Schema.Property.required(
        "parameters", .object(others: .string), "What the detail speaks of, such as `field` or `meeting_id`.")
    private static let title = Schema.Property.required("error", .string, "What is wrong, in a few words.")

    private static let envelope = NamedSchema(
        "Error", "An error in the Re-invite API's form.", .object(detail, code, parameters))
    private static let bots = NamedSchema(
        "BotsError", "An error in the Bots API's form.",
        .object(
            title, detail,
            .optional("meeting_id", .integer, "The number of the meeting that stands in the way."),
            .optional("field", .string, "What of the request is wrong."), .optional("workspace_id", .string),
            .optional("from", .string, "The status that the bot has."), .optional("to", .string, "The one it reported.")
        ))
    private static let admin = NamedSchema(
        "AdminError", "An error of `/admin`, in both forms at once.", .object(title, detail, code, parameters))
}
