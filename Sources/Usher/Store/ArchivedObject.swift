import Redis

/// What an object of the archive is called. Its parts become parts of a path, so that each has the form of such an id and no
/// other.
public struct ArchiveName: Hashable, Sendable, CustomStringConvertible {
    public let workspaceID: String
    public let meetingID: String
    /// Which of the meeting's: none is written twice. It begins with a k if Redis itself keeps it.
    public let object: String

    /// Whether Redis itself keeps it.
    public var isKept: Bool { object.first == Self.mark }
    private static let mark: Character = "k"

    /// One for something new to be written.
    static func object(isKept: Bool) -> String { (isKept ? String(mark) : "") + Identifier.hex() }

    /// - Returns: nil for what are no ids of that kind.
    public init?(workspaceID: String, meetingID: String, object: String) {
        guard Identifier.isUUID(workspaceID), Identifier.isHex(meetingID),
            Identifier.isHex(object.first == Self.mark ? String(object.dropFirst()) : object)
        else { return nil }
        (self.workspaceID, self.meetingID, self.object) = (workspaceID, meetingID, object)
    }

    /// - Parameter text: as `description` has it, and lua/includes/archive.lua writes it.
    init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let dash = parts[1].firstIndex(of: "-") else { return nil }
        self.init(
            workspaceID: String(parts[0]), meetingID: String(parts[1][..<dash]),
            object: String(parts[1][parts[1].index(after: dash)...]))
    }

    public var description: String { "\(workspaceID)/\(meetingID)-\(object)" }
    /// Of the object, from the archive's folder or prefix on.
    public var path: String { "\(description).jsonl.gz" }
}

/// The object that has the transcript of a meeting, as the field `archived` of its record tells of it.
public struct ArchivedObject: Equatable, Sendable {
    /// Far more than a meeting may have, with what JSON adds to it.
    public static let maximumUnpackedBytes = 64 << 20

    public let name: ArchiveName
    /// Of the object, in lower-case hexadecimal.
    public let sha256: String
    public let bytes: Int
    public let unpackedBytes: Int
    public let segments: Int
    /// The bytes of its segments as the quotas count them.
    let taken: Int

    public init(
        name: ArchiveName, sha256: String, bytes: Int, unpackedBytes: Int, segments: Int, taken: Int
    ) {
        (self.name, self.sha256, self.bytes, self.unpackedBytes) = (name, sha256, bytes, unpackedBytes)
        (self.segments, self.taken) = (segments, taken)
    }

    /// - Returns: nil for what is not of the form, or beyond every bound.
    init?(_ text: String, workspaceID: String, meetingID: String) {
        let parts = text.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[1].utf8.count == 64,
            let name = ArchiveName(workspaceID: workspaceID, meetingID: meetingID, object: String(parts[0]))
        else { return nil }
        let numbers = parts[2...].compactMap { Int($0) }
        let bound = 0...Self.maximumUnpackedBytes
        guard numbers.count == 4, numbers.allSatisfy(bound.contains) else { return nil }
        self.init(
            name: name, sha256: String(parts[1]), bytes: numbers[0], unpackedBytes: numbers[1], segments: numbers[2],
            taken: numbers[3])
    }

    /// The bytes that it takes in Redis as the quotas count them: as lua/includes/archive.lua has it.
    var kept: Int { name.isKept ? bytes + bytes / 3 + 200 : 0 }

    /// As the record has it.
    var text: String { "\(name.object) \(sha256) \(bytes) \(unpackedBytes) \(segments) \(taken)" }
}

/// Why the archive does not give what it has of a meeting. No text of it has an address or a secret.
public enum ArchiveFault: Error, Equatable, Sendable {
    /// It cannot be reached, or refuses, for now: trying again may help.
    case away(String)
    /// It has no such object.
    case gone
    /// What it has is not what was written.
    case spoilt(String)
    /// Redis keeps it, and does not answer or refuses.
    case redis(RedisError)

    public var reason: String {
        switch self {
        case .away(let reason): reason
        case .gone: "the archive has no such object"
        case .spoilt(let reason): reason
        case .redis(let error): "\(error)"
        }
    }
}

/// The stored segments of a meeting by their fields, as the hash `...:segments` has them.
public typealias StoredSegments = [[UInt8]: String]

/// What reads the archive. May be asked on any loop.
public protocol TranscriptArchive: Sendable {
    /// Whether it reads objects that Redis does not keep itself.
    var isElsewhere: Bool { get }

    /// The segments of an object, checked to be what was written.
    /// - Parameter session: of who asks, and waits until its deadline.
    func segments(of object: ArchivedObject, for session: Session) async throws(ArchiveFault) -> StoredSegments
}

extension Session {
    /// What the archive has of a meeting; nothing where it has none.
    /// - Parameter field: `archived` of its record.
    func archivedSegments(
        _ field: String?, of meeting: String, workspace: String
    ) async throws(ArchiveFault) -> StoredSegments {
        guard let field else { return [:] }
        guard let object = ArchivedObject(field, workspaceID: workspace, meetingID: meeting) else {
            throw .spoilt("the record of the meeting does not say where its transcript is")
        }
        guard let archive = store.archive else { throw .away("this node was given no archive") }
        return try await archive.segments(of: object, for: self)
    }
}
