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

        /// The API whose request for a bot it is; nil for anything else.
        public var dispatchingAPI: String? {
            guard method == "POST" else { return nil }
            return route == Routes.reinvite ? "reinvite" : route == Routes.bots ? "bots" : nil
        }

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

extension RequestCounters: Measured {
    public static let measures: [Measure<RequestCounters>] = [
        Measure(
            .counter, "usher_http_requests_total", by: ["method", "route", "status", "code"],
            "Answers by route pattern, status and the API's own code, which is the status where there is no other. HEAD counts "
                + "with its route; what matches no route has the route unmatched."
        ) { counters in
            counters.answers.flatMap { answers in
                answers.outcomes.map {
                    ([answers.method, answers.route, String($0.status), String($0.code)], $0.count)
                }
            }
        },
        Measure(
            histogram: "usher_http_request_duration_seconds", by: ["method", "route"],
            "From the end of a request's header section to its answer."
        ) { $0.answers.map { ([$0.method, $0.route], $0.durations) } },
        Measure(
            .counter, "usher_dispatches_total", by: ["api", "code"],
            "Requests for a bot by outcome: 202 (reinvite) and 201 (bots) are accepted ones, anything else is the code of the "
                + "refusal."
        ) { $0.routes.flatMap(dispatches) },
    ]

    /// The outcomes that the documents of both APIs name are there from the beginning, so that the first one is seen to
    /// be one more than none.
    private static func dispatches(_ answers: Answers) -> [([String], Int)] {
        guard let api = answers.dispatchingAPI else { return [] }
        let named = api == "reinvite" ? [202] + Array(12100...12111) : [201, 409, 429]
        return named.map { ([api, String($0)], 0) } + answers.outcomes.map { ([api, String($0.code)], $0.count) }
    }
}
