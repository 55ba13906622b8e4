import FoundationEssentials
import Redis
import Scripts

/// Objects of the archive that Redis keeps itself: a third of what their segments took, and read as a whole.
public struct KeptObjects: Sendable {
    let session: Session

    /// Of an object, in one part: Redis may be told to take no argument of 2 MiB.
    public static let partBytes = 256 << 10
    /// The same as Base64.
    private static let partLetters = (partBytes + 2) / 3 * 4

    /// - Returns: false if the meeting is not this node's to move any more.
    public func keep(_ bytes: [UInt8], as name: ArchiveName) async throws(RedisError) -> Bool {
        let partition = Partition(workspace: name.workspaceID)
        for (number, start) in stride(from: 0, to: bytes.count, by: Self.partBytes).enumerated() {
            let part = Data(bytes[start..<min(start + Self.partBytes, bytes.count)])
            let reply = try await session.run(
                Scripts.KeepObject(
                    meetingKey: partition.meeting(name.meetingID), objectKey: partition.object(name),
                    object: name.object, part: number, bytes: part.base64EncodedString()))
            guard case .kept = reply else { return false }
        }
        return true
    }

    /// Reads one part in each turn of its workspace.
    /// - Parameter count: how many bytes it should have.
    /// - Returns: nil if a part is not there.
    /// - Throws: `.unexpectedReply` for parts that another hand wrote. If they are larger than they can be, none is read.
    public func read(_ name: ArchiveName, count: Int) async throws(RedisError) -> [UInt8]? {
        let key = Partition(workspace: name.workspaceID).object(name)
        let numbers = 0..<(count + Self.partBytes - 1) / Self.partBytes
        let lengths = try await session.pipeline(numbers.map { Command("HSTRLEN", key, String($0)) })
        for length in lengths {
            let letters = try length.integerOrThrow()
            guard letters > 0 else { return nil }
            guard letters <= Self.partLetters else { throw Self.oddPart }
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        for number in numbers {
            let part = try await session.largeReads.turn(of: name.workspaceID) { () throws(RedisError) in
                try await session.send(Command("HGET", key, String(number))).optionalString()
            }
            guard let part else { return nil }
            guard let data = Data(base64Encoded: part) else { throw Self.oddPart }
            bytes += data
        }
        return bytes
    }

    private static let oddPart = RedisError.unexpectedReply("a part of an object of the archive that is none")

    /// Safe to repeat.
    public func remove(_ names: some Collection<ArchiveName>) async throws(RedisError) {
        _ = try await session.pipeline(names.map { Command("UNLINK", Partition(workspace: $0.workspaceID).object($0)) })
    }
}

extension Session {
    public var keptObjects: KeptObjects { KeptObjects(session: self) }
}
