import EventLoop
import Log
import Usher

/// Where the transcripts of meetings that are over are kept, once Redis lets go of them. It has two threads of its own: one for
/// what waits, and one that is held while a disk is waited for, and while a transcript is packed or unpacked.
public final class Archive: TranscriptArchive {
    let configuration: ArchiveConfiguration
    /// What has the objects that Redis does not keep itself.
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
        case .redis, nil: elsewhere = nil
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

    public var isElsewhere: Bool { elsewhere != nil }

    /// Where an object is.
    /// - Parameter session: by which Redis is reached, if that is it.
    /// - Returns: nil if it is where nodes with another setting put it.
    func storage(of name: ArchiveName, for session: Session) -> (any ArchiveStorage)? {
        name.isKept ? RedisStorage(session, worker: worker) : elsewhere
    }

    public func segments(
        of object: ArchivedObject, for session: Session
    ) async throws(ArchiveFault) -> StoredSegments {
        let until = session.deadline
        guard let storage = storage(of: object.name, for: session) else {
            throw .away("this node was given no archive that has it")
        }
        let bytes = try await storage.read(object.name, count: object.bytes, until: until)
        return try await worker.run(until: until) { () throws(ArchiveFault) in
            try TranscriptObject.unpack(bytes, object)
        }
    }
}
