import EventLoop
import Usher

/// Where the archive is: Redis itself, a folder, or a bucket of a store that speaks S3.
public enum ArchivePlace: Equatable, Sendable {
    /// Packed, in the Redis that has the records.
    case redis
    case folder(String)
    /// - Parameter prefix: what its objects begin with: empty, or one that ends with a slash.
    case bucket(String, prefix: String)

    private static let scheme = "s3://"
    private static let redisItself = "redis:"
    /// What asks for none.
    public static let none = "none"

    /// - Parameter text: `redis:`, the path of a folder, or `s3://bucket/prefix`.
    /// - Returns: nil for a bucket that cannot be one, or a prefix with more than letters, digits and `-_./`: what is
    ///   signed is then what is sent, whoever spells it.
    public init?(_ text: String) {
        guard text.hasPrefix(Self.scheme) else {
            self = text == Self.redisItself ? .redis : .folder(text)
            return
        }
        let parts = text.dropFirst(Self.scheme.count).split(
            separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let prefix = parts.count == 2 ? String(parts[1]) : ""
        func isPlain(_ text: some StringProtocol, _ others: String) -> Bool {
            text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte) || (0x41...0x5a).contains(byte)
                    || others.utf8.contains(byte)
            }
        }
        let names = prefix.split(separator: "/", omittingEmptySubsequences: false)
        guard (3...63).contains(parts[0].utf8.count), isPlain(parts[0], "-."), isPlain(prefix, "-_./"),
            !names.dropLast().contains(""), !names.contains("."), !names.contains("..")
        else { return nil }
        self = .bucket(String(parts[0]), prefix: prefix.isEmpty || prefix.hasSuffix("/") ? prefix : prefix + "/")
    }
}

/// How a bucket is reached.
public struct BucketConfiguration: Sendable {
    /// Without it, that of the region at Amazon.
    public var endpoint: String?
    public var region = "us-east-1"
    public var accessKey: String?
    public var secretKey: String?
    /// The file of the certificates by which the store is verified; nil: the system's.
    public var certificates: String?

    public init() {}
}

/// Where the archive is, and what moves there when.
public struct ArchiveConfiguration: Sendable {
    /// nil: nothing is moved. What Redis keeps is read and removed all the same.
    public var place: ArchivePlace?
    public var bucket = BucketConfiguration()
    /// How long after its end a meeting's transcript is moved, in ms.
    public var afterMilliseconds = 3_600_000

    public init(_ place: ArchivePlace? = nil) {
        self.place = place
    }
}
