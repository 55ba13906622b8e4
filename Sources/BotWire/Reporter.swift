import EventLoop
import HTTP
import Log

/// Delivers reports to `meetingApiCallbackUrl`: five tries with back-off from 0.5 s (docs/bot-wire.md, "Reports").
/// Belongs to its loop's thread.
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
    }

    private static let tries = 5
    private static let firstPauseMilliseconds = 500
    private static let timeoutMilliseconds = 5_000

    private let loop: EventLoop
    private let client: HTTPClient
    private let url: HTTPURL
    private let secret: String?
    /// What its reports belong to.
    private let trace: TraceContext?
    private let logger: Logger

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

    /// Tries until there is an answer that is not the server's own trouble.
    /// - Parameter pause: waits for so many milliseconds; true ends the tries.
    public func deliver(_ report: StatusReport, pause: (Int) async -> Bool) async -> Outcome {
        let body = WireJSON.text(report)
        var outcome = Outcome.unreachable
        for attempt in 0..<Self.tries {
            if attempt > 0, await pause(Self.firstPauseMilliseconds << (attempt - 1)) { return outcome }
            switch await post(body) {
            case .some(200..<300): outcome = .accepted
            case .some(let status) where status == 401 || status == 409: outcome = .unwanted(status: status)
            case .some(413) where report.screenshot != nil:
                // The picture must not cost the report.
                var plain = report
                plain.screenshot = nil
                return await deliver(plain, pause: pause)
            case .some(let status):
                outcome = .answered(status: status)
                if status >= 500 { continue }
            case nil: continue
            }
            break
        }
        logger.info(
            "Reported",
            [
                "trace_id": trace?.traceID ?? "", "status": report.status.rawValue, "outcome": "\(outcome)",
                "bot_id": report.connectionID,
            ])
        return outcome
    }

    /// Sends a body once.
    /// - Parameter secret: in place of the bot's own.
    /// - Returns: the answer's status; nil if none came.
    public func post(_ body: String, secret: String? = nil) async -> Int? {
        var headers = [("Content-Type", "application/json")]
        if let secret = secret ?? self.secret { headers.append(("x-internal-secret", secret)) }
        if let trace {
            headers.append(("traceparent", trace.traceparent))
            if let state = trace.state { headers.append(("tracestate", state)) }
        }
        let request = ClientRequest(.post, url, headers: headers, body: Array(body.utf8))
        do throws(ClientError) {
            let deadline = MonotonicTime.now().advanced(byMilliseconds: Self.timeoutMilliseconds)
            return try await client.send(request, deadline: deadline).status
        } catch {
            logger.warning("Got no answer to a report", ["reason": "\(error)"])
            return nil
        }
    }
}
