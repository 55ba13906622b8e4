import HTTP

/// All that can be seen of what a parser made of some input.
struct Outcome: Hashable {
    struct Field: Hashable {
        let name: [UInt8]
        let value: [UInt8]
    }

    struct Message: Hashable {
        let method: String
        let target: String
        let path: String
        let host: String?
        let minorVersion: Int
        let isKeptAlive: Bool
        let fields: [Field]
        let body: [UInt8]

        init(_ request: ParsedRequest) {
            let head = request.head
            method = head.method.name
            target = head.target
            path = head.path
            host = head.host
            minorVersion = head.minorVersion
            isKeptAlive = head.isKeptAlive
            fields = head.rawFields.map { Field(name: Array($0.name), value: Array($0.value)) }
            body = request.body
        }

        /// The message in its plainest spelling: no optional white space, the body in one chunk if in any.
        var serialised: [UInt8] {
            var bytes = Array("\(method) \(target) HTTP/1.\(minorVersion)\r\n".utf8)
            var isChunked = false
            for field in fields {
                bytes += field.name + [0x3a] + field.value + [0x0d, 0x0a]
                let name = String(decoding: field.name, as: UTF8.self).lowercased()
                isChunked = isChunked || name == "transfer-encoding"
            }
            bytes += [0x0d, 0x0a]
            guard isChunked else { return bytes + body }
            if !body.isEmpty { bytes += Array("\(String(body.count, radix: 16))\r\n".utf8) + body + [0x0d, 0x0a] }
            return bytes + Array("0\r\n\r\n".utf8)
        }
    }

    var messages: [Message] = []
    /// How often an interim answer was called for.
    var expectations = 0
    /// The status of the refusal that ended it, if any.
    var refusal: Int?
    /// Whether the input ended within a message.
    var isWithinMessage = false
    /// The most that the parser held while it waited for more.
    var heldBytes = 0

    static func == (left: Outcome, right: Outcome) -> Bool {
        // What is held depends on the pieces, so it is no part of what must agree.
        left.messages == right.messages && left.expectations == right.expectations && left.refusal == right.refusal
            && left.isWithinMessage == right.isWithinMessage
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(messages)
        hasher.combine(refusal)
    }

    /// Feeds `input` in pieces that end at each of `cuts` (ascending) and at its own end.
    init(of input: [UInt8], cutAt cuts: some Sequence<Int>, limits: RequestParser.Limits = RequestParser.Limits()) {
        var parser = RequestParser(limits: limits)
        var start = 0
        for end in Array(cuts) + [input.count] where refusal == nil {
            // A copy of its own, so that a parser that kept a pointer to a piece would be found out.
            feed(Array(input[start..<end]), to: &parser)
            start = end
        }
        isWithinMessage = refusal == nil && parser.hasBegun
    }

    private mutating func feed(_ piece: [UInt8], to parser: inout RequestParser) {
        piece.withUnsafeBufferPointer { piece in
            var position = 0
            while true {
                switch parser.advance(piece, at: &position) {
                case .needMore:
                    heldBytes = max(heldBytes, parser.heldBytes)
                    return
                case .head:
                    if parser.expectsContinue { expectations += 1 }
                case .complete(let request):
                    messages.append(Message(request))
                case .failed(let error):
                    refusal = error.status.code
                    return
                }
            }
        }
    }
}
