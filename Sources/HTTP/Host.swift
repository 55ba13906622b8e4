/// What is taken as a host, in a Host field or in the authority of an absolute-form (RFC 9110 section 7.2).
enum Host {
    private static let sentence = "Send one Host: a name or an address, and a port if it is not the usual one."
    private static let nameBytes = 255

    /// - Throws: 400 unless the bytes are `host [":" [port]]`. An empty host is refused: the URL that it would make is
    ///   invalid (RFC 9110 section 4.2.1). So is "user@host" (section 4.2.4).
    static func check(_ bytes: UnsafeBufferPointer<UInt8>) throws(HTTPError) {
        let hostEnd: Int
        if bytes.first == ASCII.openBracket {
            guard let close = bytes.firstIndex(of: ASCII.closeBracket), close >= 3, close <= 46,
                bytes[1..<close].allSatisfy({
                    ASCII.hexadecimalValue($0) != nil || $0 == ASCII.colon || $0 == ASCII.dot
                }), bytes[1..<close].contains(ASCII.colon)
            else { throw HTTPError(400, sentence) }
            hostEnd = close + 1
        } else {
            hostEnd = bytes.firstIndex(of: ASCII.colon) ?? bytes.count
            guard (1...nameBytes).contains(hostEnd), bytes[..<hostEnd].allSatisfy(ByteSet.hostName.contains) else {
                throw HTTPError(400, sentence)
            }
        }
        guard hostEnd < bytes.count else { return }
        let port = bytes[(hostEnd + 1)...]
        guard bytes[hostEnd] == ASCII.colon, port.count <= 5, port.allSatisfy(ASCII.isDigit),
            port.reduce(0, { $0 * 10 + Int($1 - ASCII.zero) }) <= 65_535
        else { throw HTTPError(400, sentence) }
    }
}
