import CCrypto

/// Random identifiers and secrets, from the cryptographic generator of libcrypto.
public enum Identifier {
    /// 32 hexadecimal characters: 128 random bits. The id of a meeting or of an API key.
    public static func hex() -> String {
        hexadecimal(randomBytes(16))
    }

    /// A random UUID (RFC 9562, section 5.4), lower-case. A workspace's or a bot's id.
    public static func uuid() -> String {
        var bytes = randomBytes(16)
        bytes[6] = bytes[6] & 0x0f | 0x40
        bytes[8] = bytes[8] & 0x3f | 0x80
        return String(unsafeUninitializedCapacity: 36) { buffer in
            var position = 0
            for (index, byte) in bytes.enumerated() {
                if index == 4 || index == 6 || index == 8 || index == 10 {
                    buffer[position] = UInt8(ascii: "-")
                    position += 1
                }
                buffer[position] = hexadecimalDigit(byte >> 4)
                buffer[position + 1] = hexadecimalDigit(byte & 15)
                position += 2
            }
            return position
        }
    }

    /// A bot's id: a random UUID whose last digit is the number of its partition, so that a report that names nothing
    /// but the bot finds its record.
    public static func bot(in partition: Partition) -> String {
        uuid().dropLast() + String(partition.number, radix: 16)
    }

    /// A bot's own secret: 256 random bits in hexadecimal.
    public static func secret() -> String {
        hexadecimal(randomBytes(32))
    }

    /// Whether a text has the form of `uuid()`. An id from outside becomes part of a key: with a colon in it, it could
    /// name a key of another kind.
    static func isUUID(_ text: String) -> Bool {
        let groups = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        return groups.map(\.count) == [8, 4, 4, 4, 12]
            && groups.joined().allSatisfy { byte in
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
            }
    }

    /// An API key: a prefix that people and secret scanners know, and 256 random bits.
    public static func apiKey() -> String {
        "usher_" + hexadecimal(randomBytes(32))
    }

    private static func randomBytes(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let result = RAND_bytes(&bytes, Int32(count))
        precondition(result == 1, "the random generator of libcrypto failed")
        return bytes
    }
}

/// What is kept of a secret, and how two are compared.
public enum Digest {
    /// SHA-256 in lower-case hexadecimal.
    public static func sha256(_ text: String) -> String {
        hexadecimal(sha256Bytes(text))
    }

    /// Whether two secrets are equal, in a time that tells nothing of either.
    public static func areEqual(_ left: String, _ right: String) -> Bool {
        CRYPTO_memcmp(sha256Bytes(left), sha256Bytes(right), Int(SHA256_DIGEST_LENGTH)) == 0
    }

    private static func sha256Bytes(_ text: String) -> [UInt8] {
        var text = text
        return text.withUTF8 { bytes in
            [UInt8](unsafeUninitializedCapacity: Int(SHA256_DIGEST_LENGTH)) { buffer, count in
                SHA256(bytes.baseAddress, bytes.count, buffer.baseAddress)
                count = Int(SHA256_DIGEST_LENGTH)
            }
        }
    }
}

private func hexadecimal(_ bytes: [UInt8]) -> String {
    String(unsafeUninitializedCapacity: bytes.count * 2) { buffer in
        for (index, byte) in bytes.enumerated() {
            buffer[2 * index] = hexadecimalDigit(byte >> 4)
            buffer[2 * index + 1] = hexadecimalDigit(byte & 15)
        }
        return bytes.count * 2
    }
}

private func hexadecimalDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
}
