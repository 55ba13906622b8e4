import FoundationEssentials
import HTTP
import JSON
import Usher

/// A request's body as the type that an endpoint takes. Unknown members are ignored.
struct JSONBody {
    /// - Throws: `APIError` 422 that names the field which is wrong, or the place in the body.
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
