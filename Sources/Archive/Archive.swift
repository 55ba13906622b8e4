import EventLoop
import Log
import Usher

/// Where the transcripts of meetings that are over are kept, once Redis lets go of them. It has two threads of its own: one for
/// what waits, and one that is held while a disk is waited for, and while a transcript is packed or unpacked.
public final class Archive: TranscriptArchive {
    let configuration: ArchiveConfiguration
    /// nil: it is Redis itself.
    private let elsewhere: (any ArchiveStorage)?
    /// Of what waits: for its store, and for Redis.
    public let loop: EventLoop
    let worker: DiskThread

    /// - Throws: `SystemError` if the kernel grants no more descriptors.
    public init(_ configuration: ArchiveConfiguration) throws {
        self.configuration = configuration
        loop = try EventLoop(name: "archive")
        worker = try DiskThread(clock: loop)
        switch configuration.place {
        case .redis: elsewhere = nil
        case .folder(let path): elsewhere = FolderStorage(path, disk: worker)
        case .bucket(let name, let prefix):
            elsewhere = BucketStorage(bucket: name, prefix: prefix, configuration.bucket, loop: loop)
        }
    }

    /// - Throws: `SystemError` if the kernel grants no thread.
    public func start() throws {
        try loop.start()
        try worker.start()
    }

    /// Cuts off what is under way.
    public func stop() {
        loop.execute { [elsewhere] in (elsewhere as? BucketStorage)?.stop() }
        loop.stop()
        loop.join()
        worker.stop()
    }

    /// - Parameter session: by which Redis is reached, if that is it.
    func storage(_ session: Session) -> any ArchiveStorage { elsewhere ?? RedisStorage(session) }

    /// What was kept in Redis is removed there, wherever others are kept since.
    func remove(_ name: ArchiveName, by session: Session) async throws(ArchiveFault) {
        try await RedisStorage(session).remove(name)
        try await elsewhere?.remove(name)
    }

    private func read(_ object: ArchivedObject, for session: Session) async throws(ArchiveFault) -> [UInt8] {
        let until = session.deadline
        do {
            return try await storage(session).read(object.name, count: object.bytes, until: until)
        } catch .gone where elsewhere != nil {
            // Of the time when Redis was the archive.
            return try await RedisStorage(session).read(object.name, count: object.bytes, until: until)
        }
    }

    public func segments(
        of object: ArchivedObject, for session: Session
    ) async throws(ArchiveFault) -> StoredSegments {
        let until = session.deadline
        let bytes = try await read(object, for: session)
        return try await worker.run(until: until) { () throws(ArchiveFault) in
            try TranscriptObject.unpack(bytes, object)
        }
    }
}
