/// What all decoders of one document share.
final class Reading {
    let tape: Tape
    let userInfo: [CodingUserInfoKey: Any]

    init(_ tape: Tape, userInfo: [CodingUserInfoKey: Any]) {
        self.tape = tape
        self.userInfo = userInfo
    }
}

/// What leads to the members of an object, or the elements of a list. Hardly any is ever looked at, so that each step is
/// only linked to those before it.
final class PathStep {
    let key: any CodingKey
    let parent: PathStep?

    init(_ key: any CodingKey, after parent: PathStep?) {
        self.key = key
        self.parent = parent
    }

    /// The keys from the outermost one on.
    var keys: [any CodingKey] { (parent?.keys ?? []) + [key] }
}

/// The place of an element in its list.
struct IndexKey: CodingKey {
    let index: Int

    init(_ index: Int) { self.index = index }

    init?(intValue: Int) { self.init(intValue) }
    init?(stringValue: String) { nil }

    var intValue: Int? { index }
    var stringValue: String { "\(index)" }
}

/// One value of a document, as Swift's decoding sees it.
struct NodeDecoder: Decoder {
    let reading: Reading
    let index: Int
    /// What leads to the value; nil if it is the whole document.
    var key: (any CodingKey)?
    var parent: PathStep?

    var node: Tape.Node { reading.tape.nodes[index] }
    /// The step that leads to what is in the value.
    var path: PathStep? { key.map { PathStep($0, after: parent) } }
    var codingPath: [any CodingKey] { path?.keys ?? [] }
    var userInfo: [CodingUserInfoKey: Any] { reading.userInfo }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard node.kind == .object else { throw mismatch([String: Any].self) }
        return KeyedDecodingContainer(MemberContainer(decoder: self, path: path))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { try elements() }

    func singleValueContainer() -> any SingleValueDecodingContainer { ValueContainer(decoder: self) }

    func elements() throws -> ElementContainer {
        guard node.kind == .list else { throw mismatch([Any].self) }
        return ElementContainer(decoder: self, path: path)
    }

    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        if type == String.self { return try string() as! Value }
        if type == Bool.self { return try bool() as! Value }
        if type == Int.self { return try integer(Int.self) as! Value }
        if type == Double.self { return try double() as! Value }
        if type == Float.self { return Float(try double()) as! Value }
        if let type = type as? any FixedWidthInteger.Type { return try integer(type) as! Value }
        return try Value(from: self)
    }

    private func string() throws -> String {
        guard node.kind == .text else { throw mismatch(String.self) }
        return reading.tape.text(of: node)
    }

    private func bool() throws -> Bool {
        switch node.kind {
        case .yes: true
        case .no: false
        default: throw mismatch(Bool.self)
        }
    }

    private func integer<Integer: FixedWidthInteger>(_ type: Integer.Type) throws -> Integer {
        guard node.kind == .number, let integer = reading.tape.withBytes(of: node, { Number(text: $0).integer }),
            let fitting = Integer(exactly: integer)
        else { throw mismatch(type) }
        return fitting
    }

    private func double() throws -> Double {
        guard node.kind == .number else { throw mismatch(Double.self) }
        guard let double = reading.tape.withBytes(of: node, { Number(text: $0).double }) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: codingPath, debugDescription: "must be a number of a size that can be held"))
        }
        return double
    }

    private func mismatch(_ type: Any.Type) -> DecodingError {
        let context = DecodingError.Context(codingPath: codingPath, debugDescription: "has the wrong type")
        return node.kind == .null ? .valueNotFound(type, context) : .typeMismatch(type, context)
    }
}
