import EventLoop
import HTTP
import Redis
import Usher

/// `GET /readyz`: whether to send requests to this node. 200 `{"status":"ready"}` if Redis answers within its deadline on
/// the connections of every loop, which have all scripts loaded, and the node is not about to stop; otherwise 503 with a
/// `reason`, a word for machines, and a `detail` for people. A Redis that is full does not make a node unready: no other
/// one would do better, and stops and reports still come through; `redis_memory` says so.
///
/// All probes of a moment at a loop share one question, so that a crowd of them costs Redis nothing.
///
/// `@unchecked Sendable`: belongs to the thread of its store's loop, and `handle` checks that.
final class ReadinessEndpoint: @unchecked Sendable {
    /// For how long an answer of Redis counts.
    private static let freshMilliseconds = 100
    static let reasons = ["draining", "redis_unreachable", "redis_silent", "redis_overloaded", "redis_refuses"]
    private static let ready = Response.json(Array("{\"status\":\"ready\"}".utf8))
    private static let full = Response.json(Array("{\"status\":\"ready\",\"redis_memory\":\"full\"}".utf8))

    private let loop: EventLoop
    let readiness: NodeReadiness
    private var question: Task<RedisError?, Never>?
    private var answer: (failure: RedisError?, time: MonotonicTime)?

    init(store: Store, readiness: NodeReadiness) {
        loop = store.client.loop
        self.readiness = readiness
        readiness.add(store)
    }

    func handle(_ request: Request) async -> Response {
        let failure = await failure(by: request.deadline)
        // Looked at last: it may have come while Redis was asked.
        if readiness.isDraining {
            return Self.unready("draining", "The node is about to stop. Send requests to another one.")
        }
        return failure.map(Self.unready) ?? (readiness.isRedisFull ? Self.full : Self.ready)
    }

    /// - Returns: why Redis cannot be used; nil if it can.
    private func failure(by deadline: MonotonicTime) async -> RedisError? {
        loop.preconditionCurrent()
        if let answer, loop.now.milliseconds(since: answer.time) < Self.freshMilliseconds { return answer.failure }
        if let question { return await question.value }
        let question = Task(executorPreference: loop) { [self] () -> RedisError? in
            let failure = await readiness.failure(by: deadline)
            answer = (failure, loop.now)
            self.question = nil
            return failure
        }
        self.question = question
        return await question.value
    }

    private static func unready(_ failure: RedisError) -> Response {
        switch failure {
        case .notConnected, .connectionLost:
            unready("redis_unreachable", "There is no connection to Redis at the moment; the node's log says why.")
        case .deadlinePassed:
            unready("redis_silent", "Redis has not answered a PING in time.")
        case .overloaded:
            unready("redis_overloaded", "Too many commands wait for Redis.")
        case .refused, .notReplicated, .unexpectedReply:
            unready("redis_refuses", "Redis refuses to answer a PING.")
        }
    }

    private static func unready(_ reason: String, _ detail: String) -> Response {
        var body = JSONText()
        body.add("status", "unready")
        body.add("reason", reason)
        body.add("detail", detail)
        return .json(body.bytes, status: 503)
    }
}
