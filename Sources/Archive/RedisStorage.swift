import EventLoop
import Redis
import Usher

/// Objects in Redis itself, beside the records. Nothing else is to be operated, and what was said is there in a third of the
/// memory; where that is too much still, it is a folder or a bucket that takes it.
struct RedisStorage: ArchiveStorage {
    private let session: Session

    init(_ session: Session) {
        self.session = session
    }

    func write(_ bytes: [UInt8], to name: ArchiveName) async throws(ArchiveFault) -> Bool {
        try await use { objects throws(RedisError) in try await objects.keep(bytes, as: name) }
    }

    func read(_ name: ArchiveName, count: Int, until: MonotonicTime) async throws(ArchiveFault) -> [UInt8] {
        let bytes = try await use { objects throws(RedisError) in try await objects.read(name, count: count) }
        guard let bytes else { throw .gone }
        return bytes
    }

    func remove(_ name: ArchiveName) async throws(ArchiveFault) {
        try await use { objects throws(RedisError) in try await objects.remove([name]) }
    }

    private func use<Result>(
        _ body: (KeptObjects) async throws(RedisError) -> Result
    ) async throws(ArchiveFault) -> Result {
        do throws(RedisError) {
            return try await body(session.keptObjects)
        } catch .unexpectedReply(let reason) {
            throw .spoilt(reason)
        } catch .refused(let reason) where reason.hasPrefix("WRONGTYPE") {
            throw .spoilt(reason)
        } catch {
            throw .redis(error)
        }
    }
}
