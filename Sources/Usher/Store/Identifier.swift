import CCrypto
import FoundationEssentials

/// Random identifiers and secrets, from the cryptographic generator of libcrypto.
public enum Identifier {
    /// 32 hexadecimal characters: 128 random bits. The id of a meeting or of an API key.
    public static func hex() -> String {
        hexadecimal(randomBytes(16))
    }

    /// A random UUID (RFC 9562, section 5.4), lower-case. A workspace's id.
    public static func uuid() -> String {
        let (high, low) = randomPair()
        return uuid(high, low)
    }

    /// A bot's id: a random UUID whose last digit is the number of its partition, so that a report that names nothing
    /// but the bot finds its record.
    public static func bot(in partition: Partition) -> String {
        let (high, low) = randomPair()
        return bot(in: partition, high, low)
    }

    /// The same of 128 bits that are random already; the last four do not count.
    static func bot(in partition: Partition, _ high: UInt64, _ low: UInt64) -> String {
        uuid(high, low & ~15 | UInt64(partition.number))
    }

    /// Version and variant take the place of six of the bits.
    private static func uuid(_ high: UInt64, _ low: UInt64) -> String {
        let high = high & ~0xf000 | 0x4000
        let low = low & ~(3 << 62) | 2 << 62
        return String(unsafeUninitializedCapacity: 36) { buffer in
            var position = 0
            for digit in 0..<32 {
                if digit == 8 || digit == 12 || digit == 16 || digit == 20 {
                    buffer[position] = UInt8(ascii: "-")
                    position += 1
                }
                let half = digit < 16 ? high : low
                buffer[position] = hexadecimalDigit(
                    UInt8(truncatingIfNeeded: half >> UInt64(60 - 4 * (digit & 15)) & 15))
                position += 1
            }
            return position
        }
    }

    /// A bot's own secret: 256 random bits in hexadecimal.
    public static func secret() -> String {
        hexadecimal(randomBytes(32))
    }

    /// Whether a text has the form of `uuid()`. An id from outside becomes part of a key: with a colon in it, it could
    /// name a key of another kind.
    public static func isUUID(_ text: String) -> Bool {
        let groups = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        return groups.map(\.count) == [8, 4, 4, 4, 12] && groups.joined().allSatisfy(isDigit)
    }

    /// Whether a text has the form of `hex()`.
    public static func isHex(_ text: String) -> Bool { text.utf8.count == 32 && text.utf8.allSatisfy(isDigit) }

    /// Whether a text has the form of `Digest.sha256`.
    static func isSHA256(_ text: String) -> Bool { text.utf8.count == 64 && text.utf8.allSatisfy(isDigit) }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }

    /// An API key: a prefix that people and secret scanners know, 256 random bits, and a checksum of both, by which a
    /// scanner tells a key from what looks like one: the CRC-32 (of ISO 3309, as zlib has it) in six digits of base 62.
    public static func apiKey() -> String {
        let key = "usher_" + hexadecimal(randomBytes(32))
        return key + base62(Digest.crc32(key.utf8))
    }

    /// Six digits, 0-9A-Za-z, the most significant one first.
    private static func base62(_ number: UInt32) -> String {
        let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
        var rest = Int(number)
        var text: [UInt8] = []
        for _ in 0..<6 {
            text.append(digits[rest % 62])
            rest /= 62
        }
        return String(decoding: text.reversed(), as: UTF8.self)
    }

    /// Random bytes in Base64 (RFC 4648, section 4).
    static func base64(bytes count: Int) -> String { Data(randomBytes(count)).base64EncodedString() }

    private static func randomBytes(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        fillRandomly(&bytes, count)
        return bytes
    }

    private static func randomPair() -> (UInt64, UInt64) {
        var pair: (UInt64, UInt64) = (0, 0)
        fillRandomly(&pair, MemoryLayout.size(ofValue: pair))
        return pair
    }

    static func fillRandomly(_ bytes: UnsafeMutableRawPointer, _ count: Int) {
        let result = RAND_bytes(bytes.assumingMemoryBound(to: UInt8.self), Int32(count))
        precondition(result == 1, "the random generator of libcrypto failed")
    }
}

/// What is kept of a secret, and how two are compared.
public enum Digest {
    /// Looked up once: libcrypto would do so at each digest, under locks. It may be used by any thread.
    nonisolated(unsafe) fileprivate static let algorithm: OpaquePointer = {
        guard let algorithm = EVP_MD_fetch(nil, "SHA256", nil) else { fatalError("libcrypto has no SHA-256") }
        return algorithm
    }()

    /// SHA-256 in lower-case hexadecimal.
    public static func sha256(_ text: String) -> String {
        hexadecimal(sha256Bytes(text))
    }

    /// SHA-256 of bytes in lower-case hexadecimal.
    public static func sha256(_ bytes: [UInt8]) -> String { hexadecimal(bytes.withUnsafeBufferPointer(sha256Bytes)) }

    /// SHA-256 in Base64, as content security policies have it.
    public static func sha256Base64(_ text: String) -> String {
        Data(sha256Bytes(text)).base64EncodedString()
    }

    /// HMAC with SHA-256 (RFC 2104): 32 bytes.
    public static func authenticationCode(_ message: [UInt8], key: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Int(SHA256_DIGEST_LENGTH)) { buffer, count in
            let result = HMAC(
                algorithm, key, Int32(key.count), message, message.count, buffer.baseAddress, nil)
            precondition(result != nil, "HMAC of libcrypto failed")
            count = Int(SHA256_DIGEST_LENGTH)
        }
    }

    /// Whether two secrets are equal, in a time that tells nothing of either.
    public static func areEqual(_ left: String, _ right: String) -> Bool {
        CRYPTO_memcmp(sha256Bytes(left), sha256Bytes(right), Int(SHA256_DIGEST_LENGTH)) == 0
    }

    /// CRC-32 of ISO 3309: no protection against anybody, only against mistakes.
    static func crc32(_ bytes: some Sequence<UInt8>) -> UInt32 {
        var checksum: UInt32 = .max
        for byte in bytes {
            checksum ^= UInt32(byte)
            for _ in 0..<8 { checksum = checksum >> 1 ^ (checksum & 1 == 1 ? 0xedb8_8320 : 0) }
        }
        return ~checksum
    }

    private static func sha256Bytes(_ text: String) -> [UInt8] {
        var text = text
        return text.withUTF8(sha256Bytes)
    }

    private static func sha256Bytes(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Int(SHA256_DIGEST_LENGTH)) { buffer, count in
            let result = EVP_Digest(bytes.baseAddress, bytes.count, buffer.baseAddress, nil, algorithm, nil)
            precondition(result == 1, "SHA-256 of libcrypto failed")
            count = Int(SHA256_DIGEST_LENGTH)
        }
    }
}

/// SHA-256 of what comes piece by piece.
public final class RunningDigest {
    private let context: OpaquePointer

    public init() {
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex2(context, Digest.algorithm, nil) == 1 else {
            fatalError("libcrypto has no memory")
        }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    public func add(_ bytes: [UInt8]) {
        precondition(EVP_DigestUpdate(context, bytes, bytes.count) == 1, "SHA-256 of libcrypto failed")
    }

    /// In lower-case hexadecimal; nothing is added after it.
    public func end() -> String {
        hexadecimal(
            [UInt8](unsafeUninitializedCapacity: Int(SHA256_DIGEST_LENGTH)) { buffer, count in
                precondition(
                    EVP_DigestFinal_ex(context, buffer.baseAddress, nil) == 1, "SHA-256 of libcrypto failed")
                count = Int(SHA256_DIGEST_LENGTH)
            })
    }
}

func hexadecimal(_ bytes: [UInt8]) -> String {
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
