import EventLoop
import Scripts

/// The tokens of one bucket that a loop has at hand, so that not every request asks Redis for one.
///
/// A request that finds none asks for some, in the same exchange as whatever else it asks; those that come meanwhile rest
/// on that. More are asked for each time that they are used up within a second, and what is not used by then lapses. So
/// nobody gets more than the bucket gives; somebody may be refused although another loop still has tokens, at most a
/// share (`RateLimit.largestShare`) for each.
struct Allowance {
    /// What a request does about its token.
    enum Plan: Equatable {
        /// It has one.
        case granted
        /// It gets one of those that another request has asked for, with the question of this number: to be settled once
        /// Redis has answered this one too.
        case shared(question: Int)
        /// It asks Redis for so many, one of them for itself.
        case ask(Int)
        /// It is refused without a question: there is none for so many milliseconds.
        case refused(milliseconds: Int)
    }

    private static let lifeMilliseconds = 1_000
    /// An empty bucket is asked again no sooner, however fast it fills.
    private static let leastPauseMilliseconds = 10

    let limit: RateLimit
    /// Negative for what was let through before Redis had answered.
    private(set) var tokens = 0
    private var lapse = MonotonicTime(nanoseconds: 0)
    private var emptyUntil = MonotonicTime(nanoseconds: 0)
    private var nextShare = 1
    /// How many questions were sent, and how many Redis has answered: in the same order, but for a Cluster's detours.
    private var asked = 0
    private var answered = 0
    /// Of what they ask for, what no request rests on yet.
    private var promised = 0
    /// Requests that rest on a question, and have not been settled.
    private var sharers = 0

    init(_ limit: RateLimit) {
        self.limit = limit
    }

    /// Whether Redis has a question still to answer.
    var isAsking: Bool { answered < asked }

    /// Milliseconds for which there is no token; nil if there may be one.
    func pause(at now: MonotonicTime) -> Int? {
        now < emptyUntil ? max(1, emptyUntil.milliseconds(since: now)) : nil
    }

    mutating func plan(at now: MonotonicTime) -> Plan {
        if now >= lapse {
            tokens = min(tokens, sharers)
            nextShare = 1
        }
        if tokens > sharers {
            tokens -= 1
            return .granted
        }
        if let pause = pause(at: now) { return .refused(milliseconds: pause) }
        if promised > 0 {
            promised -= 1
            sharers += 1
            return .shared(question: asked)
        }
        let share = nextShare
        nextShare = min(2 * share, limit.largestShare)
        asked += 1
        promised += share - 1
        return .ask(share + max(0, -tokens))
    }

    /// What Redis has answered to a question.
    /// - Parameter answer: nil if it did not say, and nobody is refused for that.
    mutating func receive(_ answer: Scripts.TakeTokens.Reply?, to count: Int, at now: MonotonicTime) {
        answered += 1
        // Another question is only asked when all that was promised before is spoken for.
        if !isAsking { promised = 0 }
        switch answer {
        case .taken(let taken): tokens += taken
        case .unknownKey, nil: tokens += count
        case .empty(let milliseconds):
            emptyUntil = now.advanced(byMilliseconds: max(milliseconds, Self.leastPauseMilliseconds))
            return
        }
        lapse = now.advanced(byMilliseconds: Self.lifeMilliseconds)
    }

    /// Whether a request has its token. To be called once for each plan, for one that asked after `receive`.
    mutating func settle(_ plan: Plan) -> Bool {
        switch plan {
        case .granted: return true
        case .refused: return false
        case .ask:
            guard tokens > 0 else { return false }
        case .shared(let question):
            sharers -= 1
            // Its question may still be on its way, as after a redirection of a Cluster's: then on credit.
            guard tokens > 0 || answered < question else { return false }
        }
        tokens -= 1
        return true
    }

    /// One more was let through without a token, while Redis is being asked.
    mutating func owe() {
        tokens -= 1
    }
}
