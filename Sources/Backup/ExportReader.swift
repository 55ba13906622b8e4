import EventLoop
import Usher

/// What the first line of an export says.
public struct ExportHead: Equatable, Sendable {
    public let exportID: String
    public let workspaceID: String
}

/// Reads the file of an export, record by record, on a thread that may be held by a disk. Nothing of it is believed: who
/// wrote it is not known here.
public actor ExportReader {
    private let loop: EventLoop
    private let input: FileInput
    private let digest = RunningDigest()
    private var workspace = ""
    private var lines = 0
    private var rank = 0
    /// Of which some was said, and whose record is to follow.
    private var meeting: String?

    public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// - Parameters:
    ///   - descriptor: of a file that can be read again.
    ///   - loop: one that nobody else needs.
    /// - Throws: `FileFault`.
    public init(_ descriptor: Int32, on loop: EventLoop) throws {
        self.loop = loop
        input = try FileInput(descriptor)
    }

    /// To be called first.
    /// - Throws: `FileFault`.
    public func head() throws -> ExportHead {
        guard let line = try input.next(), let first = Line.parts(line), first.kind == "export",
            let form = first.with["form"]
        else { throw FileFault("This is no export of a workspace: `usher export` writes such.") }
        guard form == String(Line.form) else {
            let version = first.with["usher"].map { " by usher \($0.prefix(40))" } ?? ""
            throw FileFault(
                "The export is of another form than this usher \(usherVersion) reads: it was written\(version). Use that "
                    + "version to import it.")
        }
        guard let export = first.with["export_id"], Identifier.isHex(export),
            let workspace = first.with["workspace_id"], Identifier.isUUID(workspace)
        else { throw fault("is not of its form") }
        self.workspace = workspace
        add(line)
        return ExportHead(exportID: export, workspaceID: workspace)
    }

    /// - Returns: nil once there are no more: then nothing is missing, and nothing was changed.
    /// - Throws: `FileFault`.
    public func next() throws -> ExportedRecord? {
        guard let line = try input.next() else { throw FileFault("The export is cut off: its last line is missing.") }
        guard let parts = Line.parts(line) else { throw fault("cannot be read") }
        if parts.kind == "end" {
            guard meeting == nil else { throw fault("is not in its place") }
            guard lines > 1, parts.with["lines"] == String(lines), parts.with["sha256"] == digest.end() else {
                throw FileFault("The export is not what was written: its checksum is another one.")
            }
            guard try input.next() == nil else { throw FileFault("Something follows the end of the export.") }
            return nil
        }
        add(line)
        guard let kind = ExportedRecord.Kind(rawValue: parts.kind) else { throw fault("is of an unknown kind") }
        let record = ExportedRecord(
            kind, id: parts.id, with: parts.with, fields: parts.fields, events: parts.events)
        if let problem = record.problem(in: workspace) { throw fault(problem) }
        // One workspace, and all else in its order.
        guard kind.rank >= rank, (kind == .workspace) == (lines == 2) else { throw fault("is not in its place") }
        // Segments without their meeting would be nobody's, and stay for ever.
        guard meeting == nil || kind.rank == ExportedRecord.Kind.segments.rank && record.id == meeting else {
            throw fault("is not in its place")
        }
        rank = kind.rank
        meeting = kind == .segments ? record.id : nil
        return record
    }

    private func fault(_ problem: String) -> FileFault {
        FileFault("Line \(input.lineNumber) of the export \(problem).")
    }

    private func add(_ line: [UInt8]) {
        lines += 1
        digest.add(line + [UInt8(ascii: "\n")])
    }
}
