import FoundationEssentials
import HTTP
import JSON
import Usher

/// A request's body as the type that an endpoint takes. Unknown members are ignored.
struct JSONBody {
    /// - Throws: `APIError` 422 that names the field which is wrong, or the place in the body.
    static func decode<Body: Decodable>(
        _ type: Body.Type, from request: Request, limits: JSONLimits = JSONLimits()
    ) throws -> Body {
        try decode(type, from: request.body, limits: limits)
    }

    static func decode<Body: Decodable>(_ type: Body.Type, from body: [UInt8], limits: JSONLimits) throws -> Body {
        do {
            return try Body(json: body, limits: limits)
        } catch let error as JSONError {
            throw APIError.invalid(error.member ?? "body", error.problem)
        } catch let error as DecodingError {
            throw Self.explain(error)
        }
    }

    private static func explain(_ error: DecodingError) -> APIError {
        switch error {
        case .keyNotFound(let key, let context):
            return .invalid(name(context.codingPath + [key]), "is required")
        case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
            if context.codingPath.isEmpty { return .invalid("body", "must be a JSON object") }
            return .invalid(name(context.codingPath), "must be \(title(of: type))")
        case .dataCorrupted(let context):
            return .invalid(context.codingPath.isEmpty ? "body" : name(context.codingPath), context.debugDescription)
        @unknown default: return .invalid("body", "must be a JSON object")
        }
    }

    private static func name(_ path: [any CodingKey]) -> String {
        path.reduce(into: "") { name, key in
            if let index = key.intValue {
                name += "[\(index)]"
            } else {
                name += name.isEmpty ? key.stringValue : ".\(key.stringValue)"
            }
        }
    }

    private static func title(of type: Any.Type) -> String {
        switch type {
        case is Bool.Type: "true or false"
        case is String.Type: "a string"
        case is Int.Type: "an integer"
        case is [Any].Type: "a list"
        default: "an object"
        }
    }
}

extension KeyedDecodingContainer {
    /// A string that `Administration.problem` finds nothing wrong with; nil if it is absent or null.
    func text(_ key: Key, maximum: Int) throws -> String? {
        guard let text = try decodeIfPresent(String.self, forKey: key) else { return nil }
        if let problem = Administration.problem(of: text, maximum: maximum) {
            throw APIError.invalid(key.stringValue, problem)
        }
        return text
    }
}

extension Request {
    /// A whole number among the query's parameters; nil if it is absent.
    /// - Throws: `APIError` 422 for anything else, or a number out of bounds.
    func number(_ name: String, in bounds: ClosedRange<Int>) throws -> Int? {
        guard let text = query(name) else { return nil }
        guard let number = Int(text), bounds.contains(number) else {
            throw APIError.invalid(name, "must be between \(bounds.lowerBound) and \(bounds.upperBound)")
        }
        return number
    }

    /// A yes or no among the query's parameters; nil if it is absent.
    /// - Throws: `APIError` 422 for anything but `true`, `false`, `1` and `0`, in capitals or not.
    func flag(_ name: String) throws -> Bool? {
        switch query(name)?.lowercased() {
        case nil: nil
        case "true", "1": true
        case "false", "0": false
        default: throw APIError.invalid(name, "must be true or false")
        }
    }
}

extension Response {
    /// A JSON answer, its members in alphabetical order.
    static func encoding(_ status: Status, _ value: some Encodable) throws -> Response {
        .json(Array(try JSONEncoder.ofAnswers.encode(value)), status: status)
    }
}

extension JSONEncoder {
    static var ofAnswers: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }
}
