/// Writes what a server sends over a WebSocket: frames without a mask (RFC 6455 section 5.1).
public enum WebSocketFrame {
    /// A whole message.
    public static func text(_ payload: [UInt8]) -> [UInt8] { frame(1, payload) }
    static func ping(_ payload: [UInt8]) -> [UInt8] { frame(9, payload) }
    static func pong(_ payload: [UInt8]) -> [UInt8] { frame(10, payload) }

    /// - Parameter code: nil says none.
    static func close(_ code: Int?, _ reason: String = "") -> [UInt8] {
        guard let code else { return frame(8, []) }
        return frame(8, [UInt8(truncatingIfNeeded: code >> 8), UInt8(truncatingIfNeeded: code)] + reason.utf8)
    }

    private static func frame(_ opcode: UInt8, _ payload: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = [0x80 | opcode]
        bytes.reserveCapacity(payload.count + 10)
        switch payload.count {
        case ..<126: bytes.append(UInt8(payload.count))
        case ..<65_536:
            bytes.append(126)
            appendBigEndian(UInt64(payload.count), bytes: 2, to: &bytes)
        default:
            bytes.append(127)
            appendBigEndian(UInt64(payload.count), bytes: 8, to: &bytes)
        }
        bytes += payload
        return bytes
    }

    private static func appendBigEndian(_ number: UInt64, bytes count: Int, to bytes: inout [UInt8]) {
        for place in (0..<count).reversed() { bytes.append(UInt8(truncatingIfNeeded: number >> (8 * UInt64(place)))) }
    }
}
