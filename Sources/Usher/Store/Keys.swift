/// Builds every key of section 3 of the design. No other file writes one.
public enum Keys {
    public static let userSequence = "usher:seq:user"
    public static let meetingSequence = "usher:seq:meeting"
    /// zset: user id -> user id, for listing.
    public static let users = "usher:users"

    public static func apiKey(hash: String) -> String { "usher:key:\(hash)" }
    /// string: the hash of the API key that has this id.
    public static func apiKeyHash(id: String) -> String { "usher:key:id:\(id)" }
    public static func user(_ id: Int) -> String { "usher:user:\(id)" }
    public static func userID(email: String) -> String { "usher:user:email:\(email)" }
    /// string: the workspace of a meeting, which tells "no such meeting" from "another workspace's".
    public static func locator(meeting: String) -> String { "usher:meeting:\(meeting)" }
}

/// One of the 16 slices of the keyspace. All keys of a workspace carry its hash tag, so that one script can touch them
/// all on a Redis Cluster too.
public struct Partition: Equatable, Sendable {
    /// 0...15
    public let number: Int
    private let prefix: String

    public init(number: Int) {
        precondition((0..<16).contains(number))
        self.number = number
        prefix = "usher:{p\(String(number, radix: 16))}"
    }

    /// The partition of a workspace: CRC16 of its id, modulo 16.
    public init(workspace: String) {
        self.init(number: Int(crc16(workspace.utf8) % 16))
    }

    public var dispatch: String { "\(prefix):dispatch" }
    public var events: String { "\(prefix):events" }

    public func meeting(_ id: String) -> String { "\(prefix):meeting:\(id)" }
    public func bot(_ id: String) -> String { "\(prefix):bot:\(id)" }
    func workspace(_ id: String) -> String { "\(prefix):ws:\(id)" }
}

/// The keys of one workspace.
public struct WorkspaceKeys: Sendable {
    public let partition: Partition
    /// hash: the workspace itself.
    public let workspace: String

    public init(workspace id: String) {
        partition = Partition(workspace: id)
        workspace = partition.workspace(id)
    }

    public var members: String { "\(workspace):members" }
    /// hash: id of an API key -> hash of the key.
    public var apiKeys: String { "\(workspace):keys" }
    public var lock: String { "\(workspace):lock" }
    public var meetings: String { "\(workspace):meetings" }
    public var bots: String { "\(workspace):bots" }

    public func inFlight(_ room: Room) -> String { "\(workspace):inflight:\(room)" }
    public func holder(_ room: Room) -> String { "\(workspace):room:\(room)" }
    public func latest(_ room: Room) -> String { "\(workspace):latest:\(room)" }
}

/// CRC-16/XMODEM, the checksum that Redis Cluster uses for its slots (Redis Cluster specification, appendix A).
func crc16(_ bytes: some Sequence<UInt8>) -> UInt16 {
    var crc: UInt16 = 0
    for byte in bytes {
        crc ^= UInt16(byte) << 8
        for _ in 0..<8 { crc = crc & 0x8000 == 0 ? crc << 1 : crc << 1 ^ 0x1021 }
    }
    return crc
}
