import EventLoop
import Log
import Usher

/// Where the transcripts of meetings that are over are kept, once Redis lets go of them. It has two threads of its own: one for
/// what waits, and one that is held while a disk is waited for, and while a transcript is packed or unpacked.
public final class Archive: TranscriptArchive {
    let configuration: ArchiveConfiguration
    let storage: any ArchiveStorage
    /// Of what waits: for its store, and for Redis.
    public let loop: EventLoop
    let worker: DiskThread

    /// - Throws: `SystemError` if the kernel grants no more descriptors.
    public init(_ configuration: ArchiveConfiguration) throws {
        self.configuration = configuration
        loop = try EventLoop(name: "archive")
        worker = try DiskThread(clock: loop)
        switch configuration.place {
        case .folder(let path): storage = FolderStorage(path, disk: worker)
        case .bucket(let name, let prefix):
            storage = BucketStorage(bucket: name, prefix: prefix, configuration.bucket, loop: loop)
        }
    }

    /// - Throws: `SystemError` if the kernel grants no thread.
    public func start() throws {
        try loop.start()
        try worker.start()
    }

    /// Cuts off what is under way.
    public func stop() {
        loop.execute { [storage] in (storage as? BucketStorage)?.stop() }
        loop.stop()
        loop.join()
        worker.stop()
    }

    public func segments(
        of object: ArchivedObject, until: MonotonicTime
    ) async throws(ArchiveFault) -> StoredSegments {
        let bytes = try await storage.read(object.name, count: object.bytes, until: until)
        return try await worker.run(until: until) { () throws(ArchiveFault) in
            try TranscriptObject.unpack(bytes, object)
        }
    }
}
