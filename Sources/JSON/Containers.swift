/// The members of an object. Names are compared by their bytes.
struct MemberContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let decoder: NodeDecoder
    let path: PathStep?

    var codingPath: [any CodingKey] { decoder.codingPath }

    var allKeys: [Key] {
        let tape = decoder.reading.tape
        var keys: [Key] = []
        var name = decoder.index + 1
        while name < Int(decoder.node.link) {
            Key(stringValue: tape.text(of: tape.nodes[name])).map { keys.append($0) }
            name = tape.next(after: name + 1)
        }
        return keys
    }

    func contains(_ key: Key) -> Bool { value(key) != nil }

    func decodeNil(forKey key: Key) throws -> Bool { try child(key).node.kind == .null }

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        try child(key).decode(type)
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        try child(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try child(key).elements()
    }

    func superDecoder() throws -> any Decoder { decoder }

    func superDecoder(forKey key: Key) throws -> any Decoder { try child(key) }

    private func value(_ key: Key) -> Int? { decoder.reading.tape.value(of: key.stringValue, in: decoder.index) }

    private func child(_ key: Key) throws -> NodeDecoder {
        guard let index = value(key) else {
            throw DecodingError.keyNotFound(key, .init(codingPath: codingPath, debugDescription: "is missing"))
        }
        return NodeDecoder(reading: decoder.reading, index: index, key: key, parent: path)
    }
}

/// The elements of a list, one after the other.
struct ElementContainer: UnkeyedDecodingContainer {
    private let decoder: NodeDecoder
    private let path: PathStep?
    /// The node of the next one.
    private var next: Int
    private(set) var currentIndex = 0

    init(decoder: NodeDecoder, path: PathStep?) {
        self.decoder = decoder
        self.path = path
        next = decoder.index + 1
    }

    var codingPath: [any CodingKey] { decoder.codingPath }
    var count: Int? { Int(decoder.node.count) }
    var isAtEnd: Bool { currentIndex == Int(decoder.node.count) }

    mutating func decodeNil() throws -> Bool {
        guard try child().node.kind == .null else { return false }
        advance()
        return true
    }

    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        let value = try child().decode(type)
        advance()
        return value
    }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) throws -> KeyedDecodingContainer<Nested> {
        let container = try child().container(keyedBy: type)
        advance()
        return container
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        let container = try child().elements()
        advance()
        return container
    }

    mutating func superDecoder() throws -> any Decoder {
        let child = try child()
        advance()
        return child
    }

    private func child() throws -> NodeDecoder {
        let key = IndexKey(currentIndex)
        guard !isAtEnd else {
            throw DecodingError.valueNotFound(
                Any.self, .init(codingPath: codingPath + [key], debugDescription: "is missing"))
        }
        return NodeDecoder(reading: decoder.reading, index: next, key: key, parent: path)
    }

    private mutating func advance() {
        next = decoder.reading.tape.next(after: next)
        currentIndex += 1
    }
}

/// A value by itself.
struct ValueContainer: SingleValueDecodingContainer {
    let decoder: NodeDecoder

    var codingPath: [any CodingKey] { decoder.codingPath }

    func decodeNil() -> Bool { decoder.node.kind == .null }

    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try decoder.decode(type) }
}
