/// What a JSON value may be: as much of JSON Schema (draft 2020-12) as this API needs.
struct Schema: Sendable {
    indirect enum Kind: Sendable {
        case any
        case string(StringRules)
        /// - Parameter bounds: the least and the greatest; nil leaves a side open.
        case integer(least: Int?, greatest: Int?)
        case number
        case boolean
        case list(of: Schema, atLeast: Int, atMost: Int?)
        /// - Parameter others: what further members may be; nil leaves them open.
        case object([Property], others: Schema?)
        case reference(NamedSchema)
    }

    struct StringRules: Sendable {
        /// In characters, that is Unicode scalars.
        var length: ClosedRange<Int>?
        var pattern: String?
        var format: String?
        /// All that it may be.
        var values: [String] = []
    }

    struct Property: Sendable {
        let name: String
        let schema: Schema
        let isRequired: Bool
        let meaning: String

        static func required(_ name: String, _ schema: Schema, _ meaning: String = "") -> Property {
            Property(name: name, schema: schema, isRequired: true, meaning: meaning)
        }

        static func optional(_ name: String, _ schema: Schema, _ meaning: String = "") -> Property {
            Property(name: name, schema: schema, isRequired: false, meaning: meaning)
        }
    }

    let kind: Kind
    var isNullable = false

    init(_ kind: Kind) {
        self.kind = kind
    }

    /// The same, or null.
    var orNull: Schema {
        var schema = self
        schema.isNullable = true
        return schema
    }
}

/// A schema that several places refer to by its name.
final class NamedSchema: Sendable {
    let name: String
    let meaning: String
    let schema: Schema

    init(_ name: String, _ meaning: String, _ schema: Schema) {
        self.name = name
        self.meaning = meaning
        self.schema = schema
    }
}

// MARK: What there is

extension Schema {
    /// The largest integer that every reader of JSON takes as it is (RFC 8259, section 6).
    static let greatestExactInteger = 9_007_199_254_740_991

    static let any = Schema(.any)
    static let string = Schema(.string(StringRules()))
    static let number = Schema(.number)
    static let boolean = Schema(.boolean)
    static let integer = Schema(.integer(least: nil, greatest: nil))
    /// RFC 3339, in UTC, as `Timestamp.withZone` writes it.
    static let time = Schema(.string(StringRules(format: "date-time")))
    /// RFC 9562, as `Identifier.uuid` writes it.
    static let uuid = Schema(.string(StringRules(format: "uuid")))
    /// As `Timestamp.withoutZone` writes it.
    static let timeWithoutZone = Schema(
        .string(StringRules(pattern: #"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}$"#)))

    /// Text as `KeyedDecodingContainer.text` takes it: without control characters.
    static func text(_ length: ClosedRange<Int>) -> Schema {
        Schema(.string(StringRules(length: length, pattern: #"^[^\u0000-\u001F]*$"#)))
    }

    static func string(
        _ length: ClosedRange<Int>? = nil, pattern: String? = nil, format: String? = nil
    ) -> Schema {
        Schema(.string(StringRules(length: length, pattern: pattern, format: format)))
    }

    /// A segment of a path: the router takes neither slashes nor control characters in it.
    static func segment(atMost length: Int = 2_048) -> Schema {
        string(1...length, pattern: #"^[^/\u0000-\u001F\u007F]+$"#)
    }

    static func choice(_ values: [String]) -> Schema {
        Schema(.string(StringRules(values: values)))
    }

    static func choice<Choice: CaseIterable & RawRepresentable<String>>(_: Choice.Type) -> Schema {
        choice(Choice.allCases.map(\.rawValue))
    }

    /// - Parameter bounds: up to `Int.max` leaves the side open.
    static func integer(_ bounds: ClosedRange<Int>) -> Schema {
        Schema(.integer(least: bounds.lowerBound, greatest: bounds.upperBound == .max ? nil : bounds.upperBound))
    }

    static func integer(_ bounds: PartialRangeFrom<Int>) -> Schema {
        integer(bounds.lowerBound...Int.max)
    }

    static func list(of element: Schema, atLeast: Int = 0, atMost: Int? = nil) -> Schema {
        Schema(.list(of: element, atLeast: atLeast, atMost: atMost))
    }

    static func object(_ properties: Property..., others: Schema? = nil) -> Schema {
        Schema(.object(properties, others: others))
    }

    static func named(_ schema: NamedSchema) -> Schema {
        Schema(.reference(schema))
    }
}

// MARK: As JSON Schema

extension Schema {
    /// - Parameter meaning: goes with it as its description.
    func json(_ meaning: String = "") -> OrderedJSON {
        let description: OrderedJSON? = meaning.isEmpty ? nil : .string(meaning)
        if case .reference(let named) = kind {
            let reference: OrderedJSON = ["$ref": .string("#/components/schemas/\(named.name)")]
            if isNullable {
                return .members(["description": description, "anyOf": [reference, ["type": "null"]]])
            }
            return .members(["$ref": .string("#/components/schemas/\(named.name)"), "description": description])
        }
        var members: [(name: String, value: OrderedJSON)] = []
        if let name = typeName { members.append(("type", isNullable ? [.string(name), "null"] : .string(name))) }
        if let description { members.append(("description", description)) }
        return .members(members + rules)
    }

    private var typeName: String? {
        switch kind {
        case .any, .reference: nil
        case .string: "string"
        case .integer: "integer"
        case .number: "number"
        case .boolean: "boolean"
        case .list: "array"
        case .object: "object"
        }
    }

    private var rules: [(name: String, value: OrderedJSON)] {
        var members: [(name: String, value: OrderedJSON?)] = []
        switch kind {
        case .any, .number, .boolean, .reference: break
        case .string(let rules):
            let values = rules.values.map { OrderedJSON.string($0) } + (isNullable ? [.null] : [])
            members = [
                ("format", rules.format.map { .string($0) }), ("pattern", rules.pattern.map { .string($0) }),
                ("enum", rules.values.isEmpty ? nil : .list(values)),
                ("minLength", rules.length.map { .integer($0.lowerBound) }),
                ("maxLength", rules.length.map { .integer($0.upperBound) }),
            ]
        case .integer(let least, let greatest):
            members = [("minimum", least.map { .integer($0) }), ("maximum", greatest.map { .integer($0) })]
        case .list(let element, let atLeast, let atMost):
            members = [
                ("items", element.json()), ("minItems", atLeast == 0 ? nil : .integer(atLeast)),
                ("maxItems", atMost.map { .integer($0) }),
            ]
        case .object(let properties, let others):
            let required = properties.filter(\.isRequired).map { OrderedJSON.string($0.name) }
            members = [
                ("properties", .members(properties.map { ($0.name, $0.schema.json($0.meaning)) })),
                ("required", required.isEmpty ? nil : .list(required)), ("additionalProperties", others?.json()),
            ]
        }
        return members.compactMap { name, value in value.map { (name, $0) } }
    }

    /// The named schemas that it leads to, each after those it needs itself.
    var namedSchemas: [NamedSchema] {
        switch kind {
        case .any, .string, .integer, .number, .boolean: []
        case .list(let element, _, _): element.namedSchemas
        case .object(let properties, let others):
            properties.flatMap(\.schema.namedSchemas) + (others?.namedSchemas ?? [])
        case .reference(let named): named.schema.namedSchemas + [named]
        }
    }
}
