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
    private let worker: EventLoop

    /// - Throws: `SystemError` if the kernel grants no more descriptors.
    public init(_ configuration: ArchiveConfiguration) throws {
        self.configuration = configuration
        loop = try EventLoop(name: "archive")
        worker = try EventLoop(name: "archive-disk")
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
        for loop in [loop, worker] {
            loop.stop()
            loop.join()
        }
    }

    public func segments(of object: ArchivedObject) async throws(ArchiveFault) -> StoredSegments {
        let bytes = try await storage.read(object.name, count: object.bytes)
        return try await onWorker { () throws(ArchiveFault) in try TranscriptObject.unpack(bytes, object) }
    }

    func onWorker<Value: Sendable>(
        _ body: @escaping @Sendable () throws(ArchiveFault) -> Value
    ) async throws(ArchiveFault) -> Value {
        try await Task(executorPreference: worker) { () -> Result<Value, ArchiveFault> in
            do throws(ArchiveFault) { return .success(try body()) } catch { return .failure(error) }
        }.value.get()
    }
}
