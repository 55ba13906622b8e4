/// One field line of a header or trailer section, as offsets into the section's bytes.
struct HeaderField: Hashable, Sendable {
    var name: ByteRange
    var value: ByteRange

    /// Takes a field line apart (RFC 9112 section 5).
    /// - Parameters:
    ///   - line: the line without its end.
    ///   - offset: where the line begins in its section's bytes.
    /// - Throws: 400 for what breaks the grammar: folded lines, white space before the colon, control bytes.
    static func parse(_ line: UnsafeBufferPointer<UInt8>, at offset: Int) throws(HTTPError) -> HeaderField {
        var colon = 0
        while colon < line.count, ByteSet.token.contains(line[colon]) { colon += 1 }
        guard colon > 0, colon < line.count, line[colon] == ASCII.colon else {
            throw refusal(line, colon)
        }
        var start = colon + 1
        var end = line.count
        while start < end, isBlank(line[start]) { start += 1 }
        while end > start, isBlank(line[end - 1]) { end -= 1 }
        for index in start..<end where !isValueByte(line[index]) {
            throw HTTPError(400, "Send no control bytes in a header field.")
        }
        return HeaderField(
            name: ByteRange(offset, offset + colon), value: ByteRange(offset + start, offset + end))
    }

    private static func refusal(_ line: UnsafeBufferPointer<UInt8>, _ index: Int) -> HTTPError {
        if index == 0, let first = line.first, isBlank(first) {
            return HTTPError(400, "Do not fold header fields over several lines.")
        }
        if index > 0, index < line.count, isBlank(line[index]) {
            return HTTPError(400, "Send no white space before the colon of a header field.")
        }
        return HTTPError(400, "Send each header field as a name, a colon and a value.")
    }

    static func isBlank(_ byte: UInt8) -> Bool { byte == ASCII.space || byte == ASCII.tab }

    /// RFC 9110 section 5.5: visible bytes, blanks and, as opaque data, bytes above 127.
    @inline(__always)
    static func isValueByte(_ byte: UInt8) -> Bool {
        byte >= ASCII.space && byte != ASCII.delete || byte == ASCII.tab
    }
}

/// What the header section says about where the message ends and what becomes of its connection.
struct Framing: Hashable, Sendable {
    enum Expectation { case none, continueResponse, unknown }

    var hasHost = false
    var contentLength: Int?
    var isChunked = false
    var hasClose = false
    var hasKeepAlive = false
    var expectation = Expectation.none

    /// Notes a field if it is one of those that matter here.
    /// - Throws: 400 for what two servers could understand in two ways (RFC 9112 sections 6.1 to 6.3, and 3.2).
    mutating func note(
        name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>
    ) throws(HTTPError) {
        switch name.count {
        case 4 where ASCII.equals(name, lowercase: "host"):
            guard !hasHost else { throw HTTPError(400, "Send one Host field, not several.") }
            try Host.check(value)
            hasHost = true
        case 6 where ASCII.equals(name, lowercase: "expect"):
            let isKnown = expectation != .unknown && ASCII.equals(value, lowercase: "100-continue")
            expectation = isKnown ? .continueResponse : .unknown
        case 10 where ASCII.equals(name, lowercase: "connection"):
            for option in value.split(separator: ASCII.comma) { noteConnectionOption(option) }
        case 14 where ASCII.equals(name, lowercase: "content-length"):
            guard contentLength == nil else { throw HTTPError(400, "Send one Content-Length field, not several.") }
            contentLength = try Self.length(value)
        case 17 where ASCII.equals(name, lowercase: "transfer-encoding"):
            guard !isChunked, ASCII.equals(value, lowercase: "chunked") else {
                throw HTTPError(400, "Use no transfer coding other than chunked, and name it once.")
            }
            isChunked = true
        default:
            break
        }
    }

    private mutating func noteConnectionOption(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) {
        var option = bytes
        while let first = option.first, HeaderField.isBlank(first) { option.removeFirst() }
        while let last = option.last, HeaderField.isBlank(last) { option.removeLast() }
        if ASCII.equals(option, lowercase: "close") { hasClose = true }
        if ASCII.equals(option, lowercase: "keep-alive") { hasKeepAlive = true }
    }

    /// A length too large for an integer is a length all the same, beyond any limit: `Int.max` stands for it.
    private static func length(_ value: UnsafeBufferPointer<UInt8>) throws(HTTPError) -> Int {
        guard !value.isEmpty, value.allSatisfy(ASCII.isDigit) else {
            throw HTTPError(400, "Send a Content-Length of decimal digits only.")
        }
        var length = 0
        for byte in value {
            let (shifted, overflow) = length.multipliedReportingOverflow(by: 10)
            let (sum, carry) = shifted.addingReportingOverflow(Int(byte - ASCII.zero))
            if overflow || carry { return .max }
            length = sum
        }
        return length
    }
}
