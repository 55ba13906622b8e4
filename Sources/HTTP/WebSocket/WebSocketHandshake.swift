import CCrypto

/// The opening handshake of a WebSocket (RFC 6455 section 4.2).
public enum WebSocketHandshake {
    /// What a client's key is joined with (section 1.3).
    private static let identifier = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    private static let version = "13"

    /// Why a request opens no WebSocket.
    public struct Refusal: Error, Equatable, Sendable {
        public let status: Int
        /// What to do.
        public let detail: String
        /// To be sent with it.
        public var fields: [(name: String, value: String)] {
            status == 426
                ? [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", version)] : []
        }
    }

    /// The answer that opens a WebSocket. No subprotocol and no extension is chosen, whatever the client offers.
    /// - Parameter serve: gets the socket, which is closed when it returns.
    public static func accept(
        _ request: Request, serve: @escaping @Sendable (WebSocket) async -> Void
    ) throws(Refusal) -> Response {
        guard request.method == .get, request.head.minorVersion > 0,
            tokens(request, "Upgrade").contains("websocket"), tokens(request, "Connection").contains("upgrade")
        else { throw Refusal(status: 426, detail: "Open a WebSocket here (RFC 6455): Upgrade: websocket.") }
        guard request.headers("Sec-WebSocket-Version") == [version] else {
            throw Refusal(status: 426, detail: "Use version \(version) of WebSocket.")
        }
        let keys = request.headers("Sec-WebSocket-Key")
        guard keys.count == 1, isKey(keys[0]), request.body.isEmpty else {
            throw Refusal(status: 400, detail: "Send one Sec-WebSocket-Key of 16 bytes in Base64, and no body.")
        }
        var response = Response(
            status: Status.switchingProtocols,
            headers: [("Upgrade", "websocket"), ("Sec-WebSocket-Accept", accept(key: keys[0]))])
        response.socket = serve
        return response
    }

    /// The elements of a list field, in lower case.
    private static func tokens(_ request: Request, _ name: String) -> [String] {
        (request.header(name) ?? "").split(separator: ",").map { element in
            String(element.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" }).lowercased()
        }
    }

    /// Whether a text is the Base64 of 16 bytes: 22 characters, of which the last has four bits that count for nothing.
    private static func isKey(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count == 24, bytes[22...] == [ASCII.equals, ASCII.equals] else { return false }
        return bytes[..<22].allSatisfy(alphabet.contains)
    }

    static func accept(key: String) -> String {
        let text = Array((key + identifier).utf8)
        var digest = [UInt8](repeating: 0, count: Int(SHA_DIGEST_LENGTH))
        let result = EVP_Digest(text, text.count, &digest, nil, EVP_sha1(), nil)
        precondition(result == 1, "SHA-1 of libcrypto failed")
        return base64(digest)
    }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    private static func base64(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let part = bytes[start..<min(start + 3, bytes.count)]
            var bits = part.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            bits <<= UInt32(8 * (3 - part.count))
            for place in 0..<4 {
                let isThere = place <= part.count
                text.append(isThere ? alphabet[Int(bits >> UInt32(18 - 6 * place) & 0x3f)] : ASCII.equals)
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
