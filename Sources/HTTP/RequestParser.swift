import Glibc

/// Reads HTTP/1.1 and 1.0 requests (RFC 9112), fed in pieces of any size. A pure state machine: bytes in, steps out.
///
/// It goes by whole lines, so what it finds never depends on how the input was split, and it looks at each byte once.
/// Between messages it holds no memory beyond itself.
public struct RequestParser: Sendable {
    /// What one request may take.
    public struct Limits: Hashable, Sendable {
        /// Bytes of the request line with its end; more is answered with 414.
        public var requestLineBytes = 8_192
        /// Bytes of the header section with its line ends, and again of a trailer section; more is answered with 431.
        public var headerSectionBytes = 16_384
        /// Fields in the header section, and again in a trailer section; more is answered with 431.
        public var headerFields = 100
        /// Bytes of the body, after decoding; more is answered with 413.
        public var bodyBytes = 65_536
        /// Bytes of the body for paths that begin with a text, in place of `bodyBytes`.
        public var bodyBytesByPath: [String: Int] = [:]

        public init() {}

        /// Bytes that a parser may hold: a head, a body, and a chunk-size line or trailer section.
        package var heldBytes: Int {
            let body = bodyBytesByPath.values.reduce(bodyBytes, max)
            return requestLineBytes + headerSectionBytes + body + max(headerSectionBytes, RequestParser.chunkLineBytes)
        }

        func bodyBytes(path: some Sequence<UInt8>) -> Int {
            guard !bodyBytesByPath.isEmpty else { return bodyBytes }
            return bodyBytesByPath.first { path.starts(with: $0.key.utf8) }?.value ?? bodyBytes
        }
    }

    public enum Step: Sendable {
        /// All input has been taken, and the message is not complete.
        case needMore
        /// The head is complete and a body follows. A message without a body goes to `complete` at once.
        case head
        /// A whole request. The parser is ready for the next one.
        case complete(ParsedRequest)
        /// The input is refused. Nothing after it can be trusted: answer, and close the connection.
        case failed(HTTPError)
    }

    enum State {
        case requestLine, fields, fixedBody, chunkSize, chunkData, chunkEnd, trailers, failed
    }

    enum Line {
        /// The input ended before the line did.
        case partial
        case whole
        case tooLong
    }

    /// RFC 9112 section 2.2 asks to ignore at least one empty line before a request line.
    static let leadingEmptyLines = 2

    let limits: Limits
    var state = State.requestLine
    /// The head so far.
    private var bytes: [UInt8] = []
    /// Where the line that is being read begins in `bytes`.
    private var lineStart = 0
    private var requestLineEnd = 0
    private var emptyLines = 0
    private var line = RequestLine()
    private var fields: [HeaderField] = []
    private var framing = Framing()

    var body: [UInt8] = []
    /// What the body of this request may have.
    var maximumBodyBytes = 0
    /// Bytes still to come of a fixed body or of a chunk.
    var remaining = 0
    /// The chunk-size line, chunk end or trailer section that is being read.
    var chunkLine: [UInt8] = []
    /// Where the trailer field that is being read begins in `chunkLine`.
    var trailerStart = 0
    var trailerFields = 0
    var extensionBytes = 0

    public init(limits: Limits = Limits()) {
        self.limits = limits
    }

    /// Whether part of a message has been read, be it a single byte of its request line.
    public var hasBegun: Bool { state != .requestLine || !bytes.isEmpty }

    /// Whether the head is complete and the body is not.
    var isReadingBody: Bool {
        switch state {
        case .requestLine, .fields, .failed: false
        default: true
        }
    }

    /// Whether the client waits for an interim answer before it sends the body (RFC 9110 section 10.1.1).
    public var expectsContinue: Bool { isReadingBody && framing.expectation == .continueResponse }

    /// Bytes of input that are held now; never more than `Limits.heldBytes`.
    package var heldBytes: Int { bytes.count + body.count + chunkLine.count }

    /// What has been read of the head, for an answer to a refused message.
    var partialHead: RequestHead { RequestHead(bytes: bytes, line: line, fields: fields, framing: framing) }

    /// Takes input from `position` on and advances it past what was taken, up to the next step.
    public mutating func advance(_ input: UnsafeBufferPointer<UInt8>, at position: inout Int) -> Step {
        do {
            while true {
                if let step = try takeSome(input, &position) { return step }
            }
        } catch {
            state = .failed
            return .failed(error)
        }
    }

    /// One move of the machine; nil when there is nothing to report yet.
    private mutating func takeSome(
        _ input: UnsafeBufferPointer<UInt8>, _ position: inout Int
    ) throws(HTTPError) -> Step? {
        switch state {
        case .requestLine: return try takeRequestLine(input, &position)
        case .fields: return try takeField(input, &position)
        case .fixedBody:
            takeBody(input, &position)
            return remaining == 0 ? complete() : .needMore
        case .chunkSize: return try takeChunkSize(input, &position)
        case .chunkData:
            takeBody(input, &position)
            guard remaining == 0 else { return .needMore }
            state = .chunkEnd
            return nil
        case .chunkEnd: return try takeChunkEnd(input, &position)
        case .trailers: return try takeTrailer(input, &position)
        case .failed: throw HTTPError(400, "Open a new connection: this one has failed.")
        }
    }

    // MARK: Head

    private mutating func takeRequestLine(
        _ input: UnsafeBufferPointer<UInt8>, _ position: inout Int
    ) throws(HTTPError) -> Step? {
        guard position < input.count else { return .needMore }
        if bytes.isEmpty {
            // A first byte that can begin neither a method nor an empty line (a TLS greeting, say) is refused at once.
            guard ByteSet.token.contains(input[position]) || input[position] == ASCII.carriageReturn else {
                throw HTTPError(400, "Begin with a request line, and speak plain HTTP on this port.")
            }
            bytes.reserveCapacity(min(input.count - position, 1_024))
        }
        switch Self.takeLine(input, &position, into: &bytes, limit: limits.requestLineBytes) {
        case .partial: return .needMore
        case .tooLong: throw HTTPError(414, "Send a request line of at most \(limits.requestLineBytes) bytes.")
        case .whole: break
        }
        let length = try Self.lengthWithoutEnd(bytes, from: 0)
        if length == 0 {
            emptyLines += 1
            guard emptyLines <= Self.leadingEmptyLines else {
                throw HTTPError(400, "Send no empty lines before the request line.")
            }
            bytes = []
            return nil
        }
        line = try bytes.withUnsafeBufferPointer { bytes throws(HTTPError) in
            try RequestLine.parse(UnsafeBufferPointer(rebasing: bytes[..<length]))
        }
        requestLineEnd = bytes.count
        lineStart = bytes.count
        fields.reserveCapacity(12)
        state = .fields
        return nil
    }

    private mutating func takeField(
        _ input: UnsafeBufferPointer<UInt8>, _ position: inout Int
    ) throws(HTTPError) -> Step? {
        switch Self.takeLine(input, &position, into: &bytes, limit: requestLineEnd + limits.headerSectionBytes) {
        case .partial: return .needMore
        case .tooLong:
            throw HTTPError(431, "Send a header section of at most \(limits.headerSectionBytes) bytes.")
        case .whole: break
        }
        let length = try Self.lengthWithoutEnd(bytes, from: lineStart)
        if length == 0 { return try endHead() }
        guard fields.count < limits.headerFields else {
            throw HTTPError(431, "Send at most \(limits.headerFields) header fields.")
        }
        let start = lineStart
        var framing = framing
        let field = try bytes.withUnsafeBufferPointer { bytes throws(HTTPError) in
            let field = try HeaderField.parse(
                UnsafeBufferPointer(rebasing: bytes[start..<start + length]), at: start)
            try framing.note(
                name: UnsafeBufferPointer(rebasing: bytes[field.name.range]),
                value: UnsafeBufferPointer(rebasing: bytes[field.value.range]))
            return field
        }
        self.framing = framing
        fields.append(field)
        lineStart = bytes.count
        return nil
    }

    /// Decides where the message ends (RFC 9112 section 6.3), or that it must not be read any further.
    private mutating func endHead() throws(HTTPError) -> Step {
        guard framing.hasHost || line.minorVersion == 0 else { throw HTTPError(400, "Send a Host field.") }
        if framing.isChunked {
            guard framing.contentLength == nil else {
                throw HTTPError(400, "Send either Content-Length or Transfer-Encoding, not both.")
            }
            // RFC 9112 section 6.1: HTTP/1.0 knows no transfer codings, so who sends one has its framing wrong.
            guard line.minorVersion >= 1 else { throw HTTPError(400, "Use HTTP/1.1 with Transfer-Encoding.") }
        }
        let length = framing.contentLength ?? 0
        maximumBodyBytes = limits.bodyBytes(path: bytes[line.path.range])
        guard length <= maximumBodyBytes else { throw bodyTooLarge() }
        // RFC 9110 section 10.1.1: an expectation of an HTTP/1.0 client is ignored.
        if line.minorVersion == 0 { framing.expectation = .none }
        guard framing.expectation != .unknown else {
            throw HTTPError(417, "Send no expectation other than 100-continue.")
        }
        if framing.isChunked {
            state = .chunkSize
            return .head
        }
        guard length > 0 else { return complete() }
        remaining = length
        state = .fixedBody
        return .head
    }

    func bodyTooLarge() -> HTTPError {
        HTTPError(413, "Send a body of at most \(maximumBodyBytes) bytes.")
    }

    // MARK: Message

    private static let trustedBodyBytes = 32_768

    private mutating func takeBody(_ input: UnsafeBufferPointer<UInt8>, _ position: inout Int) {
        let count = min(remaining, input.count - position)
        guard count > 0 else { return }
        // Whoever has sent so much is believed about the rest: growing step by step would copy it again and again.
        if body.count >= Self.trustedBodyBytes, !framing.isChunked { body.reserveCapacity(body.count + remaining) }
        body.append(contentsOf: UnsafeBufferPointer(rebasing: input[position..<position + count]))
        position += count
        remaining -= count
    }

    /// Hands the message out and begins anew.
    mutating func complete() -> Step {
        let request = ParsedRequest(head: partialHead, body: body)
        self = RequestParser(limits: limits)
        return .complete(request)
    }

    // MARK: Lines

    /// Moves bytes from the input into `buffer`, up to the end of the line, but lets `buffer` grow to `limit` at most.
    static func takeLine(
        _ input: UnsafeBufferPointer<UInt8>, _ position: inout Int, into buffer: inout [UInt8], limit: Int
    ) -> Line {
        let available = input.count - position
        let wanted = min(available, limit - buffer.count)
        var taken = wanted
        var result = available > wanted ? Line.tooLong : .partial
        if wanted > 0, let base = input.baseAddress.map({ $0 + position }),
            let end = memchr(base, Int32(ASCII.lineFeed), wanted)
        {
            taken = UnsafeRawPointer(end) - UnsafeRawPointer(base) + 1
            result = .whole
        }
        buffer.append(contentsOf: UnsafeBufferPointer(rebasing: input[position..<position + taken]))
        position += taken
        return result
    }

    /// The length of the line from `start` to the end of `buffer`, without the CRLF that must end it. A CR elsewhere in
    /// the line is for whoever reads the line to refuse: it is allowed in no part of it.
    /// - Throws: 400 for a bare LF.
    static func lengthWithoutEnd(_ buffer: [UInt8], from start: Int) throws(HTTPError) -> Int {
        let length = buffer.count - start - 2
        guard length >= 0, buffer[start + length] == ASCII.carriageReturn else {
            throw HTTPError(400, "End each line with CR and LF.")
        }
        return length
    }
}
