import HTTP
import Metrics

/// Counts the answers of one server: by route, status and code, with how long they took.
///
/// What it holds is bounded by the routes and by the codes that this program answers with: a client can neither choose a
/// path nor a method that would be kept.
///
/// `@unchecked Sendable`: belongs to the thread of its server's loop.
public final class RequestCounters: @unchecked Sendable {
    /// The answers of one route, or of one method where no route matched.
    public struct Answers: Sendable {
        /// The route's, or one that is known; else `other`.
        public let method: String
        /// The route's pattern, or `unmatched`.
        public let route: String
        public fileprivate(set) var durations = Histogram(.requests)
        /// In the order in which they came for the first time: a handful, among which the usual ones come early.
        public fileprivate(set) var outcomes: [Outcome] = []

        @inline(__always)
        fileprivate mutating func note(_ response: Response, _ nanoseconds: UInt64) {
            durations.record(nanoseconds: nanoseconds)
            let (status, code) = (response.status.code, response.outcomeCode)
            for index in outcomes.indices where outcomes[index].status == status && outcomes[index].rawCode == code {
                outcomes[index].count += 1
                return
            }
            outcomes.append(Outcome(status: status, rawCode: code, count: 1))
        }
    }

    public struct Outcome: Sendable {
        public let status: Int
        fileprivate let rawCode: Int
        public fileprivate(set) var count: Int

        /// The API's own code, such as 12107; the status where there is no other.
        public var code: Int { rawCode == 0 ? status : rawCode }
    }

    private static let knownMethods: [Method] = [.get, .head, .post, .put, .patch, .delete, .options]

    // One thread, and no callbacks while they change: to check each access for overlaps would cost more than to count.
    @exclusivity(unchecked) private var routes: [Answers]
    /// One for each known method, and one for the rest and for what was no request at all.
    @exclusivity(unchecked) private var unmatched: [Answers]

    public init(_ router: Router) {
        routes = router.routes.map { Answers(method: $0.method.name, route: $0.pattern) }
        unmatched = (Self.knownMethods.map(\.name) + ["other"]).map { Answers(method: $0, route: "unmatched") }
    }

    /// What the server's `HTTPConfiguration.onResponse` is to be.
    public var hook: @Sendable (Request?, Response, UInt64) -> Void {
        { [self] request, response, nanoseconds in
            if let index = request?.routeIndex {
                routes[index].note(response, nanoseconds)
            } else {
                let method = request.flatMap { Self.knownMethods.firstIndex(of: $0.method) }
                unmatched[method ?? Self.knownMethods.count].note(response, nanoseconds)
            }
        }
    }

    /// Those of which there has been an answer. Only on the loop's thread.
    public var answers: [Answers] {
        (routes + unmatched).filter { !$0.outcomes.isEmpty }
    }
}
