import EventLoop
import Redis

/// Lets those that read much of Redis take turns, one batch at a time on each loop: between two batches, whatever else
/// came in has its turn, in Redis and on the loop. So a workspace that lists all of its records, on however many
/// connections, holds up the others for about one batch. Workspaces that wait take turns too.
///
/// A turn lasts no longer than its own command may. One that comes after its deadline is passed on at once, as that
/// command is refused then.
///
/// `@unchecked Sendable`: belongs to the thread of its loop, and every entry checks that.
final class LargeReads: @unchecked Sendable {
    private let loop: EventLoop
    private var isTaken = false
    /// Those that wait, of each workspace in order.
    private var waiting: [String: [UnsafeContinuation<Void, Never>]] = [:]
    /// The workspaces that wait, the next one first.
    private var turns: [String] = []

    init(loop: EventLoop) {
        self.loop = loop
    }

    /// Reads one batch when it is the workspace's turn.
    func turn<Batch>(
        of workspace: String, _ read: () async throws(RedisError) -> Batch
    ) async throws(RedisError) -> Batch {
        loop.preconditionCurrent()
        if isTaken {
            await withUnsafeContinuation { continuation in
                if waiting[workspace] == nil { turns.append(workspace) }
                waiting[workspace, default: []].append(continuation)
            }
        } else {
            isTaken = true
        }
        defer { loop.atEndOfTurn { self.giveTurn() } }
        return try await read()
    }

    /// Passes the turn on, to whoever waits longest of the workspace that waits longest.
    private func giveTurn() {
        guard let workspace = turns.first, var ofWorkspace = waiting[workspace] else {
            isTaken = false
            return
        }
        turns.removeFirst()
        let next = ofWorkspace.removeFirst()
        waiting[workspace] = ofWorkspace.isEmpty ? nil : ofWorkspace
        if !ofWorkspace.isEmpty { turns.append(workspace) }
        next.resume()
    }
}
