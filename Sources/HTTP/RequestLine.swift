/// A part of a request's head, as offsets into its bytes.
struct ByteRange: Hashable, Sendable {
    var start: UInt32
    var end: UInt32

    init(_ start: Int, _ end: Int) {
        self.start = UInt32(start)
        self.end = UInt32(end)
    }

    static let empty = ByteRange(0, 0)

    var range: Range<Int> { Int(start)..<Int(end) }
    var count: Int { Int(end - start) }
    var isEmpty: Bool { start == end }
}

/// The request line (RFC 9112 section 3), checked and taken apart.
struct RequestLine: Hashable, Sendable {
    var method = Method.get
    /// 0 for HTTP/1.0, else 1: a later minor version is served as 1.1 (RFC 9110 section 2.5).
    var minorVersion = 1
    var target = ByteRange.empty
    /// Empty for `*` and for an absolute-form without a path, which means "/".
    var path = ByteRange.empty
    var query: ByteRange?
    /// The host and port of an absolute-form.
    var authority: ByteRange?
    /// `OPTIONS *`: the server as a whole.
    var isAsterisk = false

    /// No method that means anything here is longer (RFC 9112 section 3: answer 501).
    static let methodBytes = 32

    /// - Parameter line: the line without its end, at the start of the head's bytes, so that offsets agree.
    /// - Throws: 400 for what breaks the grammar, 501 for CONNECT and overlong methods, 505 for another major version.
    static func parse(_ line: UnsafeBufferPointer<UInt8>) throws(HTTPError) -> RequestLine {
        guard let first = line.firstIndex(of: ASCII.space), let last = line.lastIndex(of: ASCII.space), first != last
        else {
            throw HTTPError(
                400, "Send a request line of a method, a target and a version, with one space between each.")
        }
        guard first > 0, line[..<first].allSatisfy(ByteSet.token.contains) else {
            throw HTTPError(400, "Send a method made of token characters (RFC 9110 section 9.1).")
        }
        var result = RequestLine()
        result.minorVersion = try minorVersion(UnsafeBufferPointer(rebasing: line[(last + 1)...]))
        guard first <= methodBytes else { throw HTTPError(501, "Use a method that this service knows.") }
        result.method = method(UnsafeBufferPointer(rebasing: line[..<first]))
        guard result.method != .connect else {
            throw HTTPError(501, "Do not use CONNECT: this service is no proxy.")
        }
        result.target = ByteRange(first + 1, last)
        try result.parseTarget(line)
        return result
    }

    private static func method(_ bytes: UnsafeBufferPointer<UInt8>) -> Method {
        // The two that make up the load need no new string.
        if bytes.count == 3, bytes[0] == 0x47, bytes[1] == 0x45, bytes[2] == 0x54 { return .get }
        if bytes.count == 4, bytes[0] == 0x50, bytes[1] == 0x4f, bytes[2] == 0x53, bytes[3] == 0x54 { return .post }
        return Method(String(decoding: bytes, as: UTF8.self))
    }

    private static func minorVersion(_ bytes: UnsafeBufferPointer<UInt8>) throws(HTTPError) -> Int {
        guard bytes.count == 8, ASCII.equals(bytes[..<5], lowercase: "http/"),
            !bytes[..<4].contains(where: { $0 >= 0x61 }),
            ASCII.isDigit(bytes[5]), bytes[6] == ASCII.dot, ASCII.isDigit(bytes[7])
        else { throw HTTPError(400, "End the request line with HTTP/1.1 or HTTP/1.0.") }
        guard bytes[5] == ASCII.zero + 1 else { throw HTTPError(505, "Use HTTP/1.1.") }
        return bytes[7] == ASCII.zero ? 0 : 1
    }

    /// The four forms of RFC 9112 section 3.2; authority-form belongs to CONNECT and has been refused.
    private mutating func parseTarget(_ line: UnsafeBufferPointer<UInt8>) throws(HTTPError) {
        let (start, end) = (Int(target.start), Int(target.end))
        guard start < end else { throw HTTPError(400, "Send a request target between the method and the version.") }
        if line[start] == ASCII.slash {
            try parsePathAndQuery(line, from: start)
        } else if line[start] == ASCII.asterisk, end == start + 1 {
            guard method == .options else { throw HTTPError(400, "Use the target * with OPTIONS only.") }
            isAsterisk = true
        } else {
            try parseAbsoluteForm(line, from: start, to: end)
        }
    }

    private mutating func parseAbsoluteForm(
        _ line: UnsafeBufferPointer<UInt8>, from start: Int, to end: Int
    ) throws(HTTPError) {
        let schemeEnd: Int
        if end - start >= 7, ASCII.equals(line[start..<start + 7], lowercase: "http://") {
            schemeEnd = start + 7
        } else if end - start >= 8, ASCII.equals(line[start..<start + 8], lowercase: "https://") {
            schemeEnd = start + 8
        } else {
            throw HTTPError(400, "Send a target that begins with a slash, or a whole http or https URL.")
        }
        let authorityEnd =
            line[schemeEnd..<end].firstIndex { $0 == ASCII.slash || $0 == ASCII.question } ?? end
        try Host.check(UnsafeBufferPointer(rebasing: line[schemeEnd..<authorityEnd]))
        authority = ByteRange(schemeEnd, authorityEnd)
        try parsePathAndQuery(line, from: authorityEnd)
        // RFC 9112 section 3.2.4: a proxy's way to say `OPTIONS *`.
        isAsterisk = method == .options && path.isEmpty && query == nil
    }

    private mutating func parsePathAndQuery(_ line: UnsafeBufferPointer<UInt8>, from start: Int) throws(HTTPError) {
        let end = Int(target.end)
        var index = start
        var pathEnd = end
        while index < end {
            let byte = line[index]
            if ByteSet.path.contains(byte) {
                index += 1
            } else if byte == ASCII.percent {
                guard index + 2 < end, let high = ASCII.hexadecimalValue(line[index + 1]),
                    let low = ASCII.hexadecimalValue(line[index + 2]), high | low != 0
                else {
                    throw HTTPError(
                        400,
                        "Write each percent sign of the target as %25, follow others by two digits; never send %00.")
                }
                index += 3
            } else if byte == ASCII.question {
                pathEnd = min(pathEnd, index)
                index += 1
            } else {
                throw HTTPError(400, "Percent-encode what RFC 3986 does not allow in a path or query.")
            }
        }
        path = ByteRange(start, pathEnd)
        query = pathEnd < end ? ByteRange(pathEnd + 1, end) : nil
    }
}
