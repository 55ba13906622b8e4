import EventLoop
import Log
import Usher

/// Writes a workspace to a file, on a thread that may be held by whoever takes it: Redis' answers do not wait for that.
public actor ExportWriter {
    private let loop: EventLoop
    private let descriptor: Int32
    private let workspace: String
    private let digest = RunningDigest()
    private var output: FileOutput?
    private var lines = 0
    /// How many records there are of each kind.
    public private(set) var counts: [ExportedRecord.Kind: Int] = [:]

    public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// - Parameters:
    ///   - descriptor: where it is written to.
    ///   - loop: one that nobody else needs.
    public init(of workspace: String, to descriptor: Int32, on loop: EventLoop) {
        (self.workspace, self.descriptor, self.loop) = (workspace, descriptor, loop)
    }

    /// - Throws: `FileFault`.
    public func add(_ record: ExportedRecord) throws {
        if output == nil { try begin() }
        counts[record.kind, default: 0] += 1
        try write(Line.text(record))
    }

    /// To be called once all is there: without its end a file is refused.
    /// - Throws: `FileFault`.
    public func end() throws {
        let end = Line.text(kind: "end", with: ["lines": String(lines), "sha256": digest.end()])
        try output?.write(end)
        try output?.end()
    }

    private func begin() throws {
        output = try FileOutput(descriptor)
        try write(
            Line.text(
                kind: "export",
                with: [
                    "form": String(Line.form), "usher": usherVersion, "export_id": Identifier.hex(),
                    "workspace_id": workspace, "exported_at": String(WallClock.milliseconds),
                ]))
    }

    private func write(_ line: [UInt8]) throws {
        lines += 1
        digest.add(line)
        try output?.write(line)
    }
}
