import Log

/// A JSON value whose members keep the order they were written in: people read the API's description too.
enum OrderedJSON: Sendable, Equatable {
    struct Member: Sendable, Equatable {
        let name: String
        let value: OrderedJSON
    }

    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case list([OrderedJSON])
    case object([Member])
    /// A JSON text that stands already.
    case text(String)

    /// The object of these members; those without a value are left out.
    static func members(_ members: KeyValuePairs<String, OrderedJSON?>) -> OrderedJSON {
        .object(members.compactMap { name, value in value.map { Member(name: name, value: $0) } })
    }

    static func members(_ members: [(name: String, value: OrderedJSON)]) -> OrderedJSON {
        .object(members.map { Member(name: $0.name, value: $0.value) })
    }

    /// The value as JSON text, without white space.
    var json: String {
        switch self {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .integer(let value): String(value)
        case .number(let value): String(value)
        case .string(let value): "\"\(value.jsonEscaped)\""
        case .list(let values): "[\(values.map(\.json).joined(separator: ","))]"
        case .object(let members):
            "{\(members.map { "\"\($0.name.jsonEscaped)\":\($0.value.json)" }.joined(separator: ","))}"
        case .text(let text): text
        }
    }

    /// The value as JSON text over several lines: two spaces a level.
    var indentedJSON: String {
        var text = ""
        var depth = 0
        var isInString = false
        var isEscaped = false
        var previous: Character = " "
        for character in json {
            if isInString {
                text.append(character)
                if !isEscaped, character == "\"" { isInString = false }
                isEscaped = !isEscaped && character == "\\"
            } else {
                if "]}".contains(character) {
                    depth -= 1
                    if !"[{".contains(previous) { text += Self.newLine(depth) }
                } else if "[{".contains(previous) {
                    text += Self.newLine(depth)
                }
                text.append(character)
                switch character {
                case "[", "{": depth += 1
                case ",": text += Self.newLine(depth)
                case ":": text += " "
                case "\"": isInString = true
                default: break
                }
            }
            previous = character
        }
        return text
    }

    private static func newLine(_ depth: Int) -> String {
        "\n" + String(repeating: "  ", count: depth)
    }
}

extension OrderedJSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByNilLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    init(stringLiteral value: String) { self = .string(value) }
    init(integerLiteral value: Int) { self = .integer(value) }
    init(floatLiteral value: Double) { self = .number(value) }
    init(booleanLiteral value: Bool) { self = .bool(value) }
    init(nilLiteral: ()) { self = .null }
    init(arrayLiteral elements: OrderedJSON...) { self = .list(elements) }
    init(dictionaryLiteral elements: (String, OrderedJSON)...) {
        self = .object(elements.map { Member(name: $0.0, value: $0.1) })
    }
}
