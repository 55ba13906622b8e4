/// The slots of Redis Cluster, and which of them a key is in (Redis Cluster specification, "Key distribution model").
public enum HashSlot {
    public static let count = 16_384

    public static func of(_ key: String) -> Int {
        var key = key
        return key.withUTF8 { of(UnsafeRawBufferPointer($0)) }
    }

    /// Of a key only the hash tag counts, if it has one: what stands between its first `{` and the next `}`.
    static func of(_ key: UnsafeRawBufferPointer) -> Int {
        var tag = key[...]
        if let open = key.firstIndex(of: UInt8(ascii: "{")) {
            let rest = key[(open + 1)...]
            if let close = rest.firstIndex(of: UInt8(ascii: "}")), close > rest.startIndex { tag = rest[..<close] }
        }
        return Int(checksum(tag)) % count
    }

    /// CRC-16/XMODEM of a text (Redis Cluster specification, appendix A).
    public static func checksum(of text: String) -> UInt16 {
        var text = text
        return text.withUTF8 { checksum(UnsafeRawBufferPointer($0)[...]) }
    }

    private static func checksum(_ bytes: Slice<UnsafeRawBufferPointer>) -> UInt16 {
        var crc: UInt16 = 0
        for byte in bytes { crc = crc << 8 ^ table[Int(UInt8(truncatingIfNeeded: crc >> 8) ^ byte)] }
        return crc
    }

    /// The checksum of each byte alone.
    private static let table: [UInt16] = (0..<256).map { byte in
        (0..<8).reduce(UInt16(byte) << 8) { crc, _ in crc & 0x8000 == 0 ? crc << 1 : crc << 1 ^ 0x1021 }
    }
}
