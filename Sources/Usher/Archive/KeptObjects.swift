import Foundation
import Redis
import Scripts

/// Objects of the archive that Redis keeps itself: a quarter of what their segments took, and read as a whole.
public struct KeptObjects: Sendable {
    let session: Session

    /// Of an object, in one part: Redis may be told to take no argument of 2 MiB.
    static let partBytes = 256 << 10
    private static let partsAtOnce = 4

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

    /// - Parameter count: how many bytes it should have.
    /// - Returns: its bytes, and no more than one beyond `count`; nil if it is not there, or not whole.
    /// - Throws: `.unexpectedReply` for what another hand wrote.
    public func read(_ name: ArchiveName, count: Int) async throws(RedisError) -> [UInt8]? {
        let key = Partition(workspace: name.workspaceID).object(name)
        var bytes: [UInt8] = []
        let parts = 0...(count / Self.partBytes)
        for first in stride(from: 0, through: parts.upperBound, by: Self.partsAtOnce) {
            let numbers = (first..<first + Self.partsAtOnce).filter(parts.contains)
            let reply = try await session.send(Command(words: ["HMGET", key] + numbers.map(String.init)))
            for (number, part) in zip(numbers, try reply.arrayOrThrow()) {
                // The last one is not there where the others are full.
                guard let text = part.string else {
                    if number == 0 || bytes.count < count { return nil }
                    break
                }
                guard text.utf8.count <= 2 * Self.partBytes, let data = Data(base64Encoded: text) else {
                    throw .unexpectedReply("a part of an object of the archive that is none")
                }
                bytes += data
                guard bytes.count <= count else { return Array(bytes.prefix(count + 1)) }
            }
        }
        return bytes
    }

    /// Safe to repeat.
    public func remove(_ name: ArchiveName) async throws(RedisError) {
        _ = try await session.send(Command("UNLINK", Partition(workspace: name.workspaceID).object(name)))
    }
}

extension Session {
    public var keptObjects: KeptObjects { KeptObjects(session: self) }
}
