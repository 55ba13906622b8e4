/// Any value of a document as it stands there: for members of no fixed type, of which little is kept. Nothing is made of
/// it but what is asked for.
public struct JSONFragment: Decodable, Sendable {
    let tape: Tape
    let index: Int

    init(_ tape: Tape, _ index: Int) {
        self.tape = tape
        self.index = index
    }

    /// - Throws: `DecodingError` if the decoder is not one of a `JSONDocument`.
    public init(from decoder: any Decoder) throws {
        guard let decoder = decoder as? NodeDecoder else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "must be read from a JSONDocument"))
        }
        tape = decoder.reading.tape
        index = decoder.index
    }

    /// What it is written with, without the blanks between its parts; nil of a text.
    public var json: [UInt8]? {
        let node = tape.nodes[index]
        guard node.kind != .text else { return nil }
        var json: [UInt8] = []
        var isText = false
        var isEscaped = false
        for byte in tape.input[Int(node.start)..<Int(node.start) + Int(node.length)] {
            if !isText, byte <= 0x20 { continue }
            json.append(byte)
            if byte == UInt8(ascii: "\""), !isEscaped { isText.toggle() }
            isEscaped = isText && byte == UInt8(ascii: "\\") && !isEscaped
        }
        return json
    }

    /// The text, if it is one.
    public var text: String? {
        let node = tape.nodes[index]
        return node.kind == .text ? tape.text(of: node) : nil
    }

    /// The elements, if it is a list of nothing but texts.
    public var texts: Texts? {
        let node = tape.nodes[index]
        // Each text is one node.
        let elements = (index + 1)..<(index + 1 + Int(node.count))
        guard node.kind == .list, elements.endIndex == Int(node.link),
            tape.nodes[elements].allSatisfy({ $0.kind == .text })
        else { return nil }
        return Texts(tape: tape, startIndex: elements.startIndex, endIndex: elements.endIndex)
    }

    public struct Texts: RandomAccessCollection, Sendable {
        fileprivate let tape: Tape
        public let startIndex: Int
        public let endIndex: Int

        public subscript(position: Int) -> String { tape.text(of: tape.nodes[position]) }
    }
}
