import EventLoop
import Usher

/// Imports the file of an export, in two readings: nothing is written before all of it was found to be sound, and at one
/// with what is there.
public enum Importer {
    /// - Parameters:
    ///   - descriptor: of the file, which can be read again.
    ///   - disk: a loop that nobody else needs.
    ///   - progress: called for each record that was written.
    /// - Returns: the workspace, and how many records of each kind there were.
    /// - Throws: `FileFault`, `ImportRefusal`, `RedisError`.
    public static func run(
        _ descriptor: Int32, on disk: EventLoop, into store: Store, progress: () -> Void
    ) async throws -> (workspace: String, counts: [ExportedRecord.Kind: Int]) {
        let checked = try ExportReader(descriptor, on: disk)
        let head = try await checked.head()
        var check = ImportCheck(of: head.workspaceID, from: head.exportID, in: store)
        while let record = try await checked.next() { try await check.look(at: record) }
        try await check.end()

        var writing = WorkspaceImport(of: head.workspaceID, from: head.exportID, into: store)
        try await writing.begin(afterUser: check.highestUser, meeting: check.highestNumber)
        var counts: [ExportedRecord.Kind: Int] = [:]
        let reader = try ExportReader(descriptor, on: disk)
        guard try await reader.head() == head else { throw FileFault("The export was changed while it was read.") }
        while let record = try await reader.next() {
            try await writing.write(record)
            counts[record.kind, default: 0] += 1
            progress()
        }
        try await writing.end()
        return (head.workspaceID, counts)
    }
}
