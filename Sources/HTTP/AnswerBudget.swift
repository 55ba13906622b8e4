import EventLoop
import Synchronization

/// How many bytes all large answers of the servers that share it may hold at once: while they are made, and until their
/// clients have taken them. What would hold more waits its turn.
///
/// No client holds more than half, and clients have their turns one after the other: however many long lists one of them
/// asks for, another's is soon next. Answers that are small need no place here.
public final class AnswerBudget: Sendable {
    private struct State {
        var queue: AnswerQueue
        var waiting: [Int: UnsafeContinuation<Bool, Never>] = [:]
    }

    private let state: Mutex<State>
    fileprivate let patienceMilliseconds: Int

    /// - Parameters:
    ///   - bytes: at least 1.
    ///   - patience: how long a client may take for an answer that holds next to nothing, in ms, while others wait.
    public init(bytes: Int, patienceMilliseconds patience: Int = 30_000) {
        precondition(bytes >= 1, "a budget of nothing makes no answer")
        patienceMilliseconds = patience
        state = Mutex(State(queue: AnswerQueue(limit: bytes)))
    }

    /// Bytes that are held now, and how many answers wait for some.
    public var use: (bytes: Int, waiting: Int) { state.withLock { ($0.queue.used, $0.queue.waitingCount) } }

    /// Takes bytes out of the budget for an answer to `client`, as soon as it is its turn.
    /// - Parameters:
    ///   - bytes: more than half of the budget counts as half, or it would never be its turn.
    ///   - client: whose share it is, such as a workspace's id.
    ///   - end: until when to wait.
    /// - Returns: what gives them back once nothing refers to it any more; nil if they could not be had in time.
    public func hold(
        _ bytes: Int, for client: String, until end: MonotonicTime, on loop: EventLoop
    ) async -> AnswerHold? {
        loop.preconditionCurrent()
        let bytes = state.withLock { min(max(1, bytes), $0.queue.share) }
        var timer: ScheduledTimer?
        let isGranted = await withUnsafeContinuation { (continuation: UnsafeContinuation<Bool, Never>) in
            let number = state.withLock { state in
                let number = state.queue.add(bytes, for: client)
                if let number { state.waiting[number] = continuation }
                return number
            }
            guard let number else { return continuation.resume(returning: false) }
            timer = loop.schedule(at: end) { [self] in giveUp(number, client) }
            grant()
        }
        timer?.cancel()
        return isGranted ? AnswerHold(budget: self, bytes: bytes, client: client, since: loop.now) : nil
    }

    private func grant() {
        let granted = state.withLock { state in state.queue.next().compactMap { state.waiting.removeValue(forKey: $0) }
        }
        for continuation in granted { continuation.resume(returning: true) }
    }

    private func giveUp(_ number: Int, _ client: String) {
        let continuation = state.withLock { state in
            state.queue.withdraw(number, of: client)
            return state.waiting.removeValue(forKey: number)
        }
        continuation?.resume(returning: false)
        // It may have been what others could not overtake.
        grant()
    }

    fileprivate func giveBack(_ bytes: Int, _ client: String) {
        state.withLock { $0.queue.giveBack(bytes, of: client) }
        grant()
    }
}

/// Bytes of an `AnswerBudget`, which has them again once this is let go.
public final class AnswerHold: Sendable {
    private let budget: AnswerBudget
    private let bytes: Int
    private let client: String
    private let since: MonotonicTime
    /// The least pace at which it is to be taken while others wait.
    private static let bytesPerMillisecond = 64

    fileprivate init(budget: AnswerBudget, bytes: Int, client: String, since: MonotonicTime) {
        self.budget = budget
        self.bytes = bytes
        self.client = client
        self.since = since
    }

    /// Whether its client takes so long that it is others' turn, who wait: whoever takes a byte now and then is not to keep
    /// everybody from large answers.
    func mustGiveWay(at now: MonotonicTime) -> Bool {
        let most = budget.patienceMilliseconds + bytes / Self.bytesPerMillisecond
        return now.milliseconds(since: since) > most && budget.use.waiting > 0
    }

    deinit {
        budget.giveBack(bytes, client)
    }
}
