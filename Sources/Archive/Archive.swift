import EventLoop
import Log
import Usher

/// Where the transcripts of meetings that are over are kept, once Redis lets go of them. It has three threads of its own: one
/// for what waits, one that is held while a disk is waited for and while a transcript is packed, and one that unpacks, so that who
/// reads waits for neither.
public final class Archive: TranscriptArchive {
    let configuration: ArchiveConfiguration
    /// What has the objects that Redis does not keep itself.
    private let elsewhere: (any ArchiveStorage)?
    /// Of what waits: for its store, and for Redis.
    public let loop: EventLoop
    let disk: DiskThread
    private let unpacking: DiskThread

    /// - Throws: `SystemError` if the kernel grants no more descriptors.
    public init(_ configuration: ArchiveConfiguration) throws {
        self.configuration = configuration
        loop = try EventLoop(name: "archive")
        disk = try DiskThread(clock: loop)
        unpacking = try DiskThread(clock: loop)
        switch configuration.place {
        case .redis, nil: elsewhere = nil
        case .folder(let path): elsewhere = FolderStorage(path, disk: disk)
        case .bucket(let name, let prefix):
            elsewhere = BucketStorage(bucket: name, prefix: prefix, configuration.bucket, loop: loop)
        }
    }

    /// - Throws: `SystemError` if the kernel grants no thread.
    public func start() throws {
        try loop.start()
        try disk.start()
        try unpacking.start()
    }

    /// Cuts off what is under way.
    public func stop() {
        loop.execute { [elsewhere] in (elsewhere as? BucketStorage)?.stop() }
        loop.stop()
        loop.join()
        disk.stop()
        unpacking.stop()
    }

    public var isElsewhere: Bool { elsewhere != nil }

    /// Where an object is.
    /// - Parameter session: by which Redis is reached, if that is it.
    /// - Returns: nil if it is where nodes with another setting put it.
    func storage(of name: ArchiveName, for session: Session) -> (any ArchiveStorage)? {
        name.isKept ? RedisStorage(session) : elsewhere
    }

    public func segments(
        of object: ArchivedObject, for session: Session
    ) async throws(ArchiveFault) -> StoredSegments {
        let until = session.deadline
        guard let storage = storage(of: object.name, for: session) else {
            throw .away("this node was given no archive that has it")
        }
        let bytes = try await storage.read(object.name, count: object.bytes, until: until)
        return try await unpacking.run(until: until) { () throws(ArchiveFault) in
            try TranscriptObject.unpack(bytes, object)
        }
    }
}
