import EventLoop
import HTTP
import Usher

/// Events that wait for their client to take those before.
///
/// `@unchecked Sendable`: belongs to the thread of its loop.
final class EventQueue: @unchecked Sendable {
    private static let maximumBytes = 262_144
    private static let batchBytes = 32_768

    private let loop: EventLoop
    private let ofWorkspace: Bool
    private let budget: ByteBudget
    private var share: UnsentShare?
    private var events: [[UInt8]] = []
    private var bytes = 0
    private let waiters: Waiters<Void>
    private let roomWaiters: Waiters<Void>
    private var checkedAt: MonotonicTime
    private var viewer: FeedViewer?
    /// Whether the client knows, or is about to be told, where it goes on: what comes before that waits.
    private var hasBegun = false
    private var isEnded = false
    /// The client takes too little.
    private(set) var isFull = false
    /// Nothing can be told: the feed could not be followed.
    private(set) var isBroken = false

    /// - Parameter cursor: where the client was: if it is cut off before it was told all that followed, it goes on there.
    init(loop: EventLoop, ofWorkspace: Bool, after cursor: FeedCursor?, _ live: LiveServices, of client: String) {
        self.loop = loop
        self.ofWorkspace = ofWorkspace
        budget = live.budget.unsent
        waiters = Waiters(loop: loop)
        roomWaiters = Waiters(loop: loop)
        checkedAt = loop.now
        share = live.unsent.share(of: client) { [weak self] in self?.giveUp() }
        if let cursor { begin(at: cursor) }
    }

    private func begin(at cursor: FeedCursor) {
        guard !hasBegun else { return }
        hasBegun = true
        let event = Array("id: \(cursor)\ndata: {\"type\":\"subscribed\",\"cursor\":\"\(cursor)\"}\n\n".utf8)
        events.insert(event, at: 0)
        count(event.count)
        wake()
    }

    /// Has it filled by a viewer, which ends with it.
    func fill(_ follow: () async throws -> FeedViewer) async {
        guard let viewer = try? await follow() else {
            isBroken = true
            return wake()
        }
        guard !isEnded else { return viewer.end() }
        self.viewer = viewer
        begin(at: viewer.beginning)
    }

    func end() {
        isEnded = true
        viewer?.end()
        viewer = nil
        share?.end()
        drop()
    }

    private func giveUp() {
        isFull = true
        drop()
    }

    private func drop() {
        events = []
        count(-bytes)
        wake()
        roomWaiters.tell(())
    }

    func add(_ message: FeedMessage) {
        guard !isFull, !isEnded else { return }
        let cursor = ofWorkspace ? message.workspaceCursor ?? message.cursor : message.cursor
        // JSON has no line ends of its own.
        let event = Array("id: \(cursor)\ndata: ".utf8) + message.json(ofWorkspace: ofWorkspace) + "\n\n".utf8
        if bytes > 0, bytes + event.count > Self.maximumBytes || budget.isSpent {
            return giveUp()
        }
        events.append(event)
        count(event.count)
        wake()
    }

    private func count(_ more: Int) {
        bytes += more
        budget.add(more)
        share?.add(more)
    }

    func wake() { waiters.tell(()) }

    /// Waits until all that waited was taken, for the next stretch of what followed the client's cursor.
    /// - Returns: false once nobody takes it.
    func hasRoom() async -> Bool {
        while bytes > 0, !isFull, !isEnded { _ = await roomWaiters.wait(milliseconds: nil) }
        return !isFull && !isEnded
    }

    /// Whether it is time to look whether the client may still see this.
    var isCheckDue: Bool {
        guard loop.now.milliseconds(since: checkedAt) >= LiveRight.checkMilliseconds else { return false }
        checkedAt = loop.now
        return true
    }

    func next(withinMilliseconds milliseconds: Int) async -> [UInt8] {
        if events.isEmpty || !hasBegun, !isFull, !isBroken { _ = await waiters.wait(milliseconds: milliseconds) }
        guard hasBegun else { return [] }
        var batch: [UInt8] = []
        var taken = 0
        while taken < events.count, batch.isEmpty || batch.count + events[taken].count <= Self.batchBytes {
            batch += events[taken]
            taken += 1
        }
        events.removeFirst(taken)
        count(-batch.count)
        roomWaiters.tell(())
        return batch
    }
}
