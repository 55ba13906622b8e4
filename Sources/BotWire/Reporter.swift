import EventLoop
import HTTP
import Log

/// Delivers reports to `meetingApiCallbackUrl` in their order: five tries with back-off from 0.5 s, and what is not taken
/// then again and again, before what follows it; the last one for three minutes, as nothing follows (docs/bot-wire.md,
/// "Reports"). Belongs to its loop's thread.
public final class Reporter {
    /// What came of a report.
    public enum Outcome: Equatable, Sendable {
        case accepted
        /// 401 or 409: the bot is not wanted, or not any more.
        case unwanted(status: Int)
        /// Any other answer. The bot has reached somebody, and goes on.
        case answered(status: Int)
        /// No answer came at all.
        case unreachable
        /// It has not been tried: what comes before it has not been taken yet, or it is too early.
        case postponed

        /// Whether it is to be tried again.
        fileprivate var isForNow: Bool {
            switch self {
            case .accepted, .unwanted: false
            case .answered(let status): Reporter.isForNow(status)
            case .unreachable, .postponed: true
            }
        }
    }

    private static let tries = 5
    /// Three minutes, by the pauses.
    private static let lastTries = 17
    private static let firstPauseMilliseconds = 500
    private static let timeoutMilliseconds = 5_000
    /// After the tries.
    private static let firstLongPauseMilliseconds = 2_000
    private static let longestPauseMilliseconds = 15_000

    private let loop: EventLoop
    private let client: HTTPClient
    private let url: HTTPURL
    private let secret: String?
    /// What its reports belong to.
    private let trace: TraceContext?
    private let logger: Logger
    /// What has not been taken, in order: no more than a bot has stages.
    private var waiting: [StatusReport] = []
    private var longPause = firstLongPauseMilliseconds
    private var nextTime = MonotonicTime(nanoseconds: 0)

    /// - Parameters:
    ///   - secret: goes with each report as `x-internal-secret`.
    ///   - trace: what its reports belong to.
    public init(loop: EventLoop, url: HTTPURL, secret: String?, trace: TraceContext? = nil, logger: Logger) {
        self.loop = loop
        self.url = url
        self.secret = secret
        self.trace = trace
        self.logger = logger
        var limits = ClientLimits()
        limits.bodyBytes = 1 << 20
        client = HTTPClient(loop: loop, limits: limits)
    }

    /// Whether a status is the trouble of a server, or of a balancer in front of it, that may pass.
    static func isForNow(_ status: Int) -> Bool { status >= 500 || [404, 408, 425, 429].contains(status) }

    /// Tries until there is an answer that is not the server's own trouble. What comes too early is left to `deliverAgain`.
    /// - Parameters:
    ///   - isLast: what waits is tried with it, and no refusal of that keeps it from being sent.
    ///   - isInHurry: whether five tries are enough of the last one too.
    ///   - pause: waits for so many milliseconds; true ends the tries.
    public func deliver(
        _ report: StatusReport, isLast: Bool = false, isInHurry: () -> Bool = { false }, pause: (Int) async -> Bool
    ) async -> Outcome {
        waiting.append(report)
        guard isLast || waiting.count == 1 else { return .postponed }
        var outcome = Outcome.postponed
        for attempt in 0..<(isLast ? Self.lastTries : Self.tries) {
            if attempt >= Self.tries, isInHurry() { break }
            let milliseconds = min(Self.firstPauseMilliseconds << max(0, attempt - 1), Self.longestPauseMilliseconds)
            if attempt > 0, await pause(milliseconds) { break }
            outcome = await sendWaiting(isEnding: isLast)
            guard outcome.isForNow else { return outcome }
        }
        note(report, outcome)
        longPause = Self.firstLongPauseMilliseconds
        postpone()
        return outcome
    }

    /// Tries what has not been taken once more, if it is time: a server that has not heard of one step refuses the next.
    public func deliverAgain(now: MonotonicTime = .now()) async -> Outcome {
        guard !waiting.isEmpty, nextTime <= now else { return .postponed }
        // It may have been the picture that was too much.
        waiting[0].screenshot = nil
        let outcome = await sendWaiting(isEnding: false)
        postpone()
        return outcome
    }

    /// Until `deliverAgain` has something to do, in ms; nil if nothing waits.
    public var millisecondsUntilNextTry: Int? {
        waiting.isEmpty ? nil : max(0, nextTime.milliseconds(since: .now()) + 1)
    }

    private func postpone() {
        nextTime = .now().advanced(byMilliseconds: longPause)
        longPause = min(2 * longPause, Self.longestPauseMilliseconds)
    }

    /// Sends what waits in order, until something is not taken.
    private func sendWaiting(isEnding: Bool) async -> Outcome {
        var outcome = Outcome.accepted
        while let report = waiting.first {
            outcome = await send(report)
            if outcome.isForNow { return outcome }
            waiting.removeFirst()
            note(report, outcome)
            if case .unwanted = outcome, !isEnding { return outcome }
        }
        return outcome
    }

    private func send(_ report: StatusReport) async -> Outcome {
        do throws(ClientError) {
            switch try await post(WireJSON.text(report)) {
            case 200..<300: return .accepted
            case let status where status == 401 || status == 409: return .unwanted(status: status)
            case 413 where report.screenshot != nil:
                // The picture must not cost the report.
                var plain = report
                plain.screenshot = nil
                return await send(plain)
            case let status: return .answered(status: status)
            }
        } catch {
            logger.warning("Got no answer to a report", ["reason": "\(error)"])
            return .unreachable
        }
    }

    private func note(_ report: StatusReport, _ outcome: Outcome) {
        logger.info(
            "Reported",
            [
                "trace_id": trace?.traceID ?? "", "status": report.status.rawValue, "outcome": "\(outcome)",
                "bot_id": report.connectionID,
            ])
    }

    /// Sends a body once.
    /// - Parameter secret: in place of the bot's own.
    /// - Returns: the answer's status.
    /// - Throws: if none came.
    public func post(_ body: String, secret: String? = nil) async throws(ClientError) -> Int {
        var headers = [("Content-Type", "application/json")]
        if let secret = secret ?? self.secret { headers.append(("x-internal-secret", secret)) }
        if let trace {
            headers.append(("traceparent", trace.traceparent))
            if let state = trace.state { headers.append(("tracestate", state)) }
        }
        let request = ClientRequest(.post, url, headers: headers, body: Array(body.utf8))
        let deadline = MonotonicTime.now().advanced(byMilliseconds: Self.timeoutMilliseconds)
        return try await client.send(request, deadline: deadline).status
    }
}
