/// Builds every key of section 3 of the design. No other file writes one.
public enum Keys {
    public static let userSequence = "usher:seq:user"
    public static let meetingSequence = "usher:seq:meeting"
    /// zset: user id -> user id, for listing.
    public static let users = "usher:users"

    public static func apiKey(hash: String) -> String { join("usher", ":key:", hash) }
    /// string: the hash of the API key that has this id.
    public static func apiKeyHash(id: String) -> String { "usher:key:id:\(id)" }
    public static func user(_ id: Int) -> String { "usher:user:\(id)" }
    public static func userID(email: String) -> String { "usher:user:email:\(email)" }
    /// string: the workspace of a meeting, which tells "no such meeting" from "another workspace's".
    public static func locator(meeting: String) -> String { join("usher", ":meeting:", meeting) }
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

    public var dispatch: String { join(prefix, ":dispatch") }
    public var events: String { join(prefix, ":events") }

    public func meeting(_ id: String) -> String { join(prefix, ":meeting:", id) }
    public func bot(_ id: String) -> String { join(prefix, ":bot:", id) }
    func workspace(_ id: String) -> String { join(prefix, ":ws:", id) }
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

    public var members: String { join(workspace, ":members") }
    /// hash: id of an API key -> hash of the key.
    public var apiKeys: String { join(workspace, ":keys") }
    public var lock: String { join(workspace, ":lock") }
    public var meetings: String { join(workspace, ":meetings") }
    public var bots: String { join(workspace, ":bots") }

    public func inFlight(_ room: Room) -> String { join(workspace, ":inflight:", room.description) }
    public func holder(_ room: Room) -> String { join(workspace, ":room:", room.description) }
    public func latest(_ room: Room) -> String { join(workspace, ":latest:", room.description) }
}

/// Puts a key together with one allocation. Interpolation would take several, and a dispatch needs a dozen keys.
private func join(_ first: String, _ second: StaticString, _ third: String = "") -> String {
    var (first, third) = (first, third)
    return first.withUTF8 { first in
        third.withUTF8 { third in
            let second = UnsafeBufferPointer(start: second.utf8Start, count: second.utf8CodeUnitCount)
            let count = first.count + second.count + third.count
            return String(unsafeUninitializedCapacity: count) { key in
                _ = key.update(fromContentsOf: first)
                _ = key[first.count...].update(fromContentsOf: second)
                _ = key[(first.count + second.count)...].update(fromContentsOf: third)
                return count
            }
        }
    }
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
