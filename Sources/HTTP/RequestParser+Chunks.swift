/// The chunked transfer coding (RFC 9112 section 7.1).
extension RequestParser {
    /// Digits of a chunk size: leading zeros are allowed, but not without end.
    private static let chunkSizeDigits = 16
    /// Bytes of a chunk-size line with its extensions and its end.
    static let chunkLineBytes = 1_024

    mutating func takeChunkSize(
        _ input: UnsafeBufferPointer<UInt8>, _ position: inout Int
    ) throws(HTTPError) -> Step? {
        switch Self.takeLine(input, &position, into: &chunkLine, limit: Self.chunkLineBytes) {
        case .partial: return .needMore
        case .tooLong: throw HTTPError(400, "Send chunk-size lines of at most \(Self.chunkLineBytes) bytes.")
        case .whole: break
        }
        let length = try Self.lengthWithoutEnd(chunkLine, from: 0)
        let size = try parseChunkSize(chunkLine[..<length])
        chunkLine.removeAll(keepingCapacity: true)
        if size == 0 {
            state = .trailers
            return nil
        }
        guard size <= maximumBodyBytes - body.count else { throw bodyTooLarge() }
        remaining = size
        state = .chunkData
        return nil
    }

    /// Extensions are skipped, since none is known here, and bounded over the whole body: else a client could send
    /// many bytes for each one that counts against the limit of the body.
    private mutating func parseChunkSize(_ line: ArraySlice<UInt8>) throws(HTTPError) -> Int {
        var size = 0
        var digits = 0
        while digits < line.count, let value = ASCII.hexadecimalValue(line[digits]) {
            guard digits < Self.chunkSizeDigits else {
                throw HTTPError(400, "Send chunk sizes of at most \(Self.chunkSizeDigits) digits.")
            }
            // Beyond any limit already; the rest of the digits cannot make it fit again.
            if size < 1 << 56 { size = size << 4 | Int(value) }
            digits += 1
        }
        let rest = line[digits...]
        guard digits > 0, rest.isEmpty || rest.first == ASCII.semicolon, rest.allSatisfy(HeaderField.isValueByte) else {
            throw HTTPError(400, "Send each chunk size as hexadecimal digits.")
        }
        extensionBytes += rest.count
        guard extensionBytes <= limits.headerSectionBytes else {
            throw HTTPError(400, "Send chunk extensions of at most \(limits.headerSectionBytes) bytes in all.")
        }
        return size
    }

    mutating func takeChunkEnd(
        _ input: UnsafeBufferPointer<UInt8>, _ position: inout Int
    ) throws(HTTPError) -> Step? {
        let line = Self.takeLine(input, &position, into: &chunkLine, limit: 2)
        if line == .partial { return .needMore }
        guard line == .whole, chunkLine == [ASCII.carriageReturn, ASCII.lineFeed] else {
            throw HTTPError(400, "End each chunk after as many bytes as its size says.")
        }
        chunkLine.removeAll(keepingCapacity: true)
        state = .chunkSize
        return nil
    }

    /// Trailer fields are checked like header fields and dropped (RFC 9110 section 6.5.1): no handler wants them, and
    /// none of them may change how the message was understood.
    mutating func takeTrailer(
        _ input: UnsafeBufferPointer<UInt8>, _ position: inout Int
    ) throws(HTTPError) -> Step? {
        switch Self.takeLine(input, &position, into: &chunkLine, limit: limits.headerSectionBytes) {
        case .partial: return .needMore
        case .tooLong:
            throw HTTPError(431, "Send a trailer section of at most \(limits.headerSectionBytes) bytes.")
        case .whole: break
        }
        let length = try Self.lengthWithoutEnd(chunkLine, from: trailerStart)
        if length == 0 { return complete() }
        guard trailerFields < limits.headerFields else {
            throw HTTPError(431, "Send at most \(limits.headerFields) trailer fields.")
        }
        trailerFields += 1
        let start = trailerStart
        _ = try chunkLine.withUnsafeBufferPointer { bytes throws(HTTPError) in
            try HeaderField.parse(UnsafeBufferPointer(rebasing: bytes[start..<start + length]), at: start)
        }
        trailerStart = chunkLine.count
        return nil
    }
}
