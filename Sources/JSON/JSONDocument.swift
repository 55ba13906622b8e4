/// A JSON text (RFC 8259) that was found to be one: whole, within limits, of valid UTF-8, and without two members of one
/// name in an object. Reading it takes time in proportion to its bytes, whatever is in them.
///
/// What is refused though some take it: a byte order mark (section 8.1), and halves of surrogate pairs (section 8.2),
/// which no text can hold.
public struct JSONDocument: Sendable {
    let tape: Tape

    public init(_ bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(JSONError) {
        tape = try Scanner.scan(bytes, limits: limits)
    }

    /// The whole of it as a type. Members that the type does not ask for cost nothing any more.
    /// - Parameter userInfo: for the type's `init(from:)`.
    /// - Throws: `DecodingError`, or what the type throws. A number that does not fit is of the wrong type if an integer
    ///   is asked for, and otherwise `dataCorrupted`, with a description that completes "<member> ...".
    public func decode<Value: Decodable>(
        _ type: Value.Type, userInfo: [CodingUserInfoKey: Any] = [:]
    ) throws -> Value {
        try NodeDecoder(reading: Reading(tape, userInfo: userInfo), index: 0).decode(type)
    }
}

extension Decodable {
    /// A value of a JSON text.
    /// - Throws: `JSONError` if it is none; what `JSONDocument.decode` throws.
    public init(json: [UInt8], limits: JSONLimits = JSONLimits()) throws {
        self = try JSONDocument(json, limits: limits).decode(Self.self)
    }
}
