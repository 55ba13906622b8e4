import Glibc

/// Reads one answer (RFC 9112), fed in pieces. Pure, and as strict as the parser of requests: what two programs could
/// understand in two ways is refused.
struct ResponseParser {
    /// What is wrong with an answer.
    struct Malformed: Error, Equatable {
        let reason: String
    }

    private enum Part {
        case head
        case fixedBody(Int)
        case chunkedBody, bodyToEnd, complete
    }

    /// Interim answers (1xx) before the final one; a server may send any number, but not without end.
    private static let maximumInterimAnswers = 8
    private static let chunkLineBytes = 256

    private let limits: ClientLimits
    private let answersHead: Bool
    private var part = Part.head
    /// What has come and was not taken yet: bounded by the limits before anything is appended.
    private var input: [UInt8] = []
    /// Where the next move begins in `input`; while the head is incomplete, how far it was searched.
    private var position = 0
    private var interimAnswers = 0
    private var status = 0
    private var fields: [ClientResponse.Field] = []
    private var body: [UInt8] = []

    /// - Parameter method: that of the request, since the answer to HEAD has no body whatever its fields say.
    init(answering method: Method, limits: ClientLimits) {
        answersHead = method == .head
        self.limits = limits
    }

    /// Takes in a piece.
    /// - Returns: the answer once it is complete; what follows it is ignored.
    mutating func take(_ bytes: UnsafeBufferPointer<UInt8>) throws(Malformed) -> ClientResponse? {
        input.append(contentsOf: bytes)
        while try advance() {
            if case .complete = part { return ClientResponse(status: status, fields: fields, body: body) }
        }
        return nil
    }

    /// The connection has ended in good order.
    /// - Returns: the answer, if that is how its body ends (RFC 9112 section 6.3, the last rule).
    mutating func takeEnd() throws(Malformed) -> ClientResponse {
        guard case .bodyToEnd = part else { throw Malformed(reason: "the answer ended too early") }
        part = .complete
        return ClientResponse(status: status, fields: fields, body: body)
    }

    /// One move; false when more input is needed.
    private mutating func advance() throws(Malformed) -> Bool {
        switch part {
        case .head: return try takeHead()
        case .fixedBody(let length):
            guard input.count - position >= length else { return false }
            body = Array(input[position..<position + length])
            part = .complete
        case .chunkedBody: return try takeChunk()
        case .bodyToEnd:
            guard input.count - position <= limits.bodyBytes - body.count else { throw tooLarge }
            body += input[position...]
            input = []
            position = 0
            return false
        case .complete: return false
        }
        return true
    }

    private var tooLarge: Malformed { Malformed(reason: "its body has more than \(limits.bodyBytes) bytes") }

    // MARK: Head

    private mutating func takeHead() throws(Malformed) -> Bool {
        guard let end = endOfHead() else {
            guard input.count <= limits.headBytes else { throw headTooLarge }
            return false
        }
        guard end <= limits.headBytes else { throw headTooLarge }
        let head = Array(input[..<end])
        input.removeFirst(end)
        position = 0
        let lines = try Self.lines(of: head)
        guard lines.count - 1 <= limits.headerFields else {
            throw Malformed(reason: "it has more than \(limits.headerFields) header fields")
        }
        let (code, minorVersion) = try Self.statusLine(head[lines[0]])
        let framing = try readFields(head, lines.dropFirst())
        guard code >= 200 else {
            interimAnswers += 1
            guard code != 101, interimAnswers <= Self.maximumInterimAnswers else {
                throw Malformed(reason: "an interim answer that nobody asked for")
            }
            return true
        }
        status = code
        part = try bodyPart(framing, minorVersion: minorVersion)
        return true
    }

    private var headTooLarge: Malformed { Malformed(reason: "its head has more than \(limits.headBytes) bytes") }

    /// Where the body begins: after the first empty line.
    private mutating func endOfHead() -> Int? {
        let start = max(3, position)
        // A head that comes byte by byte is still searched once only.
        position = input.count
        guard start < input.count else { return nil }
        for index in start..<input.count
        where input[index] == ASCII.lineFeed && input[index - 2] == ASCII.lineFeed
            && input[index - 1] == ASCII.carriageReturn
        {
            return index + 1
        }
        return nil
    }

    /// The lines of a head, without their ends and without the empty one.
    private static func lines(of head: [UInt8]) throws(Malformed) -> [Range<Int>] {
        var lines: [Range<Int>] = []
        var start = 0
        while start < head.count - 2 {
            guard let end = head[start...].firstIndex(of: ASCII.lineFeed), end > start,
                head[end - 1] == ASCII.carriageReturn,
                !head[start..<end - 1].contains(ASCII.carriageReturn)
            else { throw Malformed(reason: "its lines do not end with CR and LF") }
            lines.append(start..<end - 1)
            start = end + 1
        }
        guard !lines.isEmpty else { throw Malformed(reason: "it begins with an empty line") }
        return lines
    }

    /// RFC 9112 section 4: `HTTP/1.x SP 3DIGIT SP [reason]`. Some servers leave out the second space with the reason.
    private static func statusLine(_ line: ArraySlice<UInt8>) throws(Malformed) -> (code: Int, minorVersion: Int) {
        let bytes = Array(line)
        guard bytes.count >= 12, bytes.starts(with: "HTTP/1.".utf8), ASCII.isDigit(bytes[7]),
            bytes[8] == ASCII.space, bytes[9..<12].allSatisfy(ASCII.isDigit),
            bytes.count == 12 || bytes[12] == ASCII.space, bytes.allSatisfy(HeaderField.isValueByte)
        else { throw Malformed(reason: "its status line is not one of HTTP/1") }
        let code = bytes[9..<12].reduce(0) { $0 * 10 + Int($1 - ASCII.zero) }
        guard (100...599).contains(code) else { throw Malformed(reason: "its status is \(code)") }
        return (code, Int(bytes[7] - ASCII.zero))
    }

    private mutating func readFields(_ head: [UInt8], _ lines: ArraySlice<Range<Int>>) throws(Malformed) -> Framing {
        fields = []
        var framing = Framing()
        do throws(HTTPError) {
            for line in lines {
                let field = try head.withUnsafeBufferPointer { head throws(HTTPError) in
                    let field = try HeaderField.parse(
                        UnsafeBufferPointer(rebasing: head[line]), at: line.lowerBound)
                    try framing.note(
                        name: UnsafeBufferPointer(rebasing: head[field.name.range]),
                        value: UnsafeBufferPointer(rebasing: head[field.value.range]))
                    return field
                }
                fields.append(
                    ClientResponse.Field(
                        name: String(decoding: head[field.name.range], as: UTF8.self),
                        value: String(decoding: head[field.value.range], as: UTF8.self)))
            }
        } catch {
            throw Malformed(reason: "one of its header fields breaks the rules of HTTP")
        }
        return framing
    }

    /// RFC 9112 section 6.3.
    private func bodyPart(_ framing: Framing, minorVersion: Int) throws(Malformed) -> Part {
        if answersHead || status == 204 || status == 304 { return .complete }
        if framing.isChunked {
            guard framing.contentLength == nil, minorVersion >= 1 else {
                throw Malformed(reason: "it can be read as having two lengths")
            }
            return .chunkedBody
        }
        guard let length = framing.contentLength else { return .bodyToEnd }
        guard length <= limits.bodyBytes else { throw tooLarge }
        return .fixedBody(length)
    }

    // MARK: Chunks (RFC 9112 section 7.1)

    /// Takes one whole chunk, or the last one with the trailer section, which must be empty: nobody wants its fields.
    private mutating func takeChunk() throws(Malformed) -> Bool {
        let rest = input[position...]
        guard let lineEnd = rest.prefix(Self.chunkLineBytes).firstIndex(of: ASCII.lineFeed) else {
            guard rest.count < Self.chunkLineBytes else { throw Malformed(reason: "a chunk-size line without end") }
            return false
        }
        let size = try Self.chunkSize(rest[..<lineEnd])
        guard size <= limits.bodyBytes - body.count else { throw tooLarge }
        let end = lineEnd + 1 + size
        guard input.count >= end + 2 else { return false }
        guard input[end] == ASCII.carriageReturn, input[end + 1] == ASCII.lineFeed else {
            throw Malformed(reason: "a chunk that does not end where its size says, or trailer fields")
        }
        body += input[lineEnd + 1..<end]
        position = end + 2
        if size == 0 { part = .complete }
        // Taken chunks leave in large pieces, so that many small ones cost no more a byte than few.
        if position >= Self.takenBytes {
            input.removeFirst(position)
            position = 0
        }
        return true
    }

    private static let takenBytes = 16_384

    private static func chunkSize(_ line: ArraySlice<UInt8>) throws(Malformed) -> Int {
        let digits = line.prefix { ASCII.hexadecimalValue($0) != nil }
        let extensions = line[digits.endIndex...].dropLast()
        guard (1...8).contains(digits.count), line.last == ASCII.carriageReturn,
            extensions.isEmpty || extensions.first == ASCII.semicolon, extensions.allSatisfy(HeaderField.isValueByte)
        else { throw Malformed(reason: "a chunk size that is none") }
        return digits.reduce(0) { $0 << 4 | Int(ASCII.hexadecimalValue($1)!) }
    }
}
