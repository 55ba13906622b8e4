import EventLoop
import Log
import Redis
import Transfers
import Usher

/// Settings of deliveries.
public struct DelivererConfiguration: Sendable {
    /// Where receivers may be.
    public var receivers = ReceiverPolicy()
    /// The file of the certificates to trust; nil: the system's.
    public var certificates: String?
    /// How many requests are under way at once to one webhook whose receiver takes them.
    public var perWebhook = 8
    /// Whom to tell of all workspaces; nil: nobody.
    public var operatorEndpoint: OperatorEndpoint?
    /// How many are under way to it at once.
    public var perOperator = 64
    /// How many to all, of this node.
    public var inAll = 1_024

    public init() {}
}

/// Tells webhooks what happened: files what is in the outboxes, takes what is due and sends it. Every node does; there
/// is no leader, and no state but in Redis (docs/webhooks.md, "How it works").
///
/// `@unchecked Sendable`: belongs to the thread of its loop.
public final class Deliverer: @unchecked Sendable {
    private static let timeoutMilliseconds = 10_000
    /// How long a receiver may take to answer, and how much of that is kept.
    private static let answerMilliseconds = 15_000
    private static let keptBytes = 1_024
    /// One that fails may be gone for long: it is asked by one request at a time.
    private static let perFailingWebhook = 1
    /// One that fails is asked only while less than this part of all requests, one in so many, is under way.
    private static let failingShare = 2
    /// How many webhooks' deliveries are taken side by side: each takes its time on the way to Redis and back.
    private static let claimsAtOnce = 16
    /// How often a reason for which work is cut short is told, in ms.
    private static let tellMilliseconds = 60_000
    /// How often it is said that there is an operator's endpoint; and that again which could not be said everywhere.
    private static let keepMilliseconds = 60_000
    private static let keepAgainMilliseconds = 5_000

    private let store: Store
    private let configuration: DelivererConfiguration
    private let node: String
    private let logger: Logger
    private let body: EventBody
    private let curl: Curl?
    public let metrics = DelivererMetrics()
    private var underWay: [String: Int] = [:]
    /// How many may be under way to a webhook that has taken some lately. One that is new here, or has failed, begins with
    /// one: thousands that hang must not take the places of those that do not.
    private var allowed: [String: Int] = [:]
    private static let mostRemembered = 10_000
    private var sum = 0
    /// Deliveries since the beginning.
    private var started = 0
    /// When something was told last, that it is not told at each turn.
    private var told: [String: MonotonicTime] = [:]
    /// When the operator's endpoint took an event last.
    private var operatorTook: MonotonicTime?
    /// When it is said next that there is an operator's endpoint.
    private var nextKeep = MonotonicTime.now()
    private var isStopped = false

    /// - Parameters:
    ///   - node: the id that tells this one from others.
    ///   - body: what is sent of a change.
    public init(
        store: Store, configuration: DelivererConfiguration, node: String, logger: Logger,
        body: @escaping EventBody
    ) {
        self.store = store
        self.configuration = configuration
        self.node = node
        self.logger = logger
        self.body = body
        curl = Curl(loop: store.client.loop)
        if curl == nil { logger.error("No webhook is delivered: libcurl cannot be used") }
    }

    /// Goes on until `stop`.
    public func run() async {
        // Each for itself: whatever holds up the one, such as a backlog, is not to hold up the other.
        let filing = Task(executorPreference: store.client.loop) { [self] in
            await goOn { session throws(RedisError) in try await file(session) }
        }
        let operators = configuration.operatorEndpoint.map { endpoint in
            Task(executorPreference: store.client.loop) { [self] in
                await goOn { session throws(RedisError) in try await takeDue(of: endpoint, session) }
            }
        }
        await goOn { session throws(RedisError) in try await takeDue(session) }
        await filing.value
        await operators?.value
    }

    /// - Parameter step: returns whether there was anything to do.
    private func goOn(_ step: (Session) async throws(RedisError) -> Bool) async {
        while !isStopped, curl != nil {
            var hasWork = false
            do throws(RedisError) {
                hasWork = try await step(store.session(milliseconds: Self.timeoutMilliseconds))
            } catch {
                if error != .notConnected, mayTell("\(error)") {
                    logger.warning("Webhooks were cut short", ["reason": "\(error)"])
                }
            }
            // The pause varies, so that nodes do not fall into step.
            await store.client.loop.wait(milliseconds: hasWork ? 20 : Int.random(in: 150...300))
        }
    }

    /// Ends it, on the loop's thread. What is under way is sent again by another node once its lease is over.
    public func stop() {
        isStopped = true
        curl?.close()
    }

    /// Whether a thing has not been told for a minute.
    private func mayTell(_ what: String) -> Bool {
        let now = MonotonicTime.now()
        if let last = told[what], now.milliseconds(since: last) < Self.tellMilliseconds { return false }
        if told.count >= Self.mostRemembered { told = [:] }
        told[what] = now
        return true
    }

    private func file(_ session: Session) async throws(RedisError) -> Bool {
        let filed = try await session.deliveries.fileOutboxes(node: node, body: body)
        metrics.dropped += filed.dropped
        for webhook in filed.overflowing.sorted() where mayTell(webhook) {
            logger.warning("Events for a webhook were dropped: too many wait for it", ["webhook_id": webhook])
        }
        return filed.filed > 0
    }

    // MARK: Deliveries

    /// - Returns: whether anything was due.
    private func takeDue(_ session: Session) async throws(RedisError) -> Bool {
        let before = started
        try await take(from: try await session.deliveries.due(in: .webhooks), session)
        return started > before
    }

    /// What is due of all workspaces for the operator's endpoint, for which all of them share the places.
    /// - Returns: whether anything was due.
    private func takeDue(of endpoint: OperatorEndpoint, _ session: Session) async throws(RedisError) -> Bool {
        // First: what waits is nobody's where nobody says that there is an endpoint.
        if MonotonicTime.now() >= nextKeep {
            let took = operatorTook.map { MonotonicTime.now().milliseconds(since: $0) }
            let problem = try await session.deliveries.keep(endpoint, tookMilliseconds: took)
            if let problem, mayTell("\(problem)") {
                logger.warning("Not all is recorded for the operator's endpoint", ["reason": "\(problem)"])
            }
            nextKeep = .now().advanced(
                byMilliseconds: problem == nil ? Self.keepMilliseconds : Self.keepAgainMilliseconds)
        }
        let places = places(for: Webhook.operatorID)
        let most = max(places.room, places.failing)
        guard most > 0 else { return allowed[Webhook.operatorID] != nil }
        let before = started
        // Any of them: there are as many of each partition as there are places.
        let due = try await session.deliveries.due(
            in: .operatorEndpoint, count: min(most, Deliveries.webhooksPerRead)
        ).shuffled().prefix(most)
        guard !due.isEmpty else { return false }
        try await take(from: Array(due), atMost: max(1, most / due.count), session)
        return started > before
    }

    /// - Parameter most: how many events of each.
    private func take(
        from found: [(workspace: String, id: String)], atMost most: Int = .max, _ session: Session
    ) async throws(RedisError) {
        var due = found[...]
        while !due.isEmpty, !isStopped {
            let some = Array(due.prefix(Self.claimsAtOnce))
            due = due.dropFirst(some.count)
            try await Rounds.inEach(some) { [self] webhook throws(RedisError) in
                try await take(workspace: webhook.workspace, webhook: webhook.id, atMost: most, session)
            }
        }
    }

    /// How many requests to a webhook may be begun; and how many if it fails.
    private func places(for id: String) -> (room: Int, failing: Int) {
        let busy = underWay[id] ?? 0
        return (
            room: max(0, min((allowed[id] ?? 1) - busy, configuration.inAll - sum)),
            failing: sum < configuration.inAll / Self.failingShare ? max(0, Self.perFailingWebhook - busy) : 0
        )
    }

    /// Takes what a webhook may be told now, and tells it.
    private func take(
        workspace: String, webhook id: String, atMost most: Int = .max, _ session: Session
    ) async throws(RedisError) {
        var (room, failing) = places(for: id)
        room = min(room, most)
        // One that has just taken an event may have failed at one of another partition, which does not know yet.
        if id == Webhook.operatorID, allowed[id] != nil { failing = room }
        // Who looks meanwhile finds the places taken.
        let places = max(room, failing)
        let isWaiting = places == 0 && underWay[id] != nil && id != Webhook.operatorID
        hold(places, for: id)
        let taken: [ClaimedDelivery]
        do throws(RedisError) {
            taken = try await session.deliveries.claim(
                workspace: workspace, webhook: id, count: room, failingCount: failing, isWaiting: isWaiting,
                operatorEndpoint: configuration.operatorEndpoint)
        } catch {
            hold(-places, for: id)
            throw error
        }
        hold(taken.count - places, for: id)
        started += taken.count
        let hasMore = taken.count == room && id != Webhook.operatorID
        for delivery in taken {
            Task(executorPreference: store.client.loop) { [self] in
                await deliver(delivery)
                hold(-1, for: id)
                if hasMore { await takeMore(workspace: workspace, webhook: id) }
            }
        }
    }

    /// A webhook that takes what it is told is told more once half of its places are free, rather than at the next look.
    private func takeMore(workspace: String, webhook id: String) async {
        guard !isStopped, let allowed = allowed[id], (underWay[id] ?? 0) <= allowed / 2 else { return }
        // What fails here the next look finds.
        try? await take(
            workspace: workspace, webhook: id, store.session(milliseconds: Self.timeoutMilliseconds))
    }

    private func hold(_ places: Int, for id: String) {
        sum += places
        let held = (underWay[id] ?? 0) + places
        underWay[id] = held > 0 ? held : nil
    }

    private func deliver(_ delivery: ClaimedDelivery) async {
        let time = WallClock.milliseconds
        let answer = await send(delivery, time: time / 1_000)
        guard !isStopped else { return }
        let outcome = RetrySchedule.outcome(answer, tries: delivery.tries)
        let word = Self.word(outcome, answer)
        note(outcome, of: delivery.webhook.id)
        metrics.count(word, isOperators: delivery.webhook.isOperators)
        let attempt = Self.line(answer, word, time: time)
        do throws(RedisError) {
            let settlement = try await store.session(milliseconds: Self.timeoutMilliseconds).deliveries.settle(
                delivery, outcome, attempt: attempt, answer: Self.kept(answer))
            log(delivery, answer, word, settlement)
        } catch {
            // Its lease ends, and it is sent again with the same id.
            logger.warning(
                "What came of a delivery could not be noted",
                ["webhook_id": delivery.webhook.id, "event_id": delivery.eventID, "reason": "\(error)"])
        }
    }

    private func note(_ outcome: DeliveryOutcome, of id: String) {
        if allowed.count >= Self.mostRemembered { allowed = [:] }
        let isOperators = id == Webhook.operatorID
        switch outcome {
        case .delivered:
            let most = isOperators ? configuration.perOperator : configuration.perWebhook
            allowed[id] = min((allowed[id] ?? 1) * 2, most)
            if isOperators { operatorTook = .now() }
        // What it refuses for good of one workspace must not slow the others.
        case .failed where isOperators, .gone where isOperators: break
        case .retry, .failed, .gone: allowed[id] = nil
        }
    }

    private func send(_ delivery: ClaimedDelivery, time: Int) async -> TransferAnswer {
        let body = Array(delivery.body.utf8)
        let signed = WebhookSignature.fields(of: delivery.webhook, id: delivery.eventID, body: body, time: time)
        let fields =
            ["Content-Type: application/json", "User-Agent: usher-webhooks/\(usherVersion)", "Expect:"]
            + signed.map { "\($0.name): \($0.value)" }
        guard let curl,
            let transfer = Transfer(
                url: delivery.webhook.url, fields: fields, body: body, certificates: configuration.certificates,
                timeoutMilliseconds: Self.answerMilliseconds, keptBytes: Self.keptBytes,
                mayConnect: configuration.receivers.mayConnect)
        else { return .noMemory }
        return await transfer.send(curl)
    }

    // MARK: What is told of it

    /// What is kept of an answer. What is no UTF-8 takes three times as much once it is made such.
    private static func kept(_ answer: TransferAnswer) -> String {
        let scalars = String(decoding: answer.firstBytes, as: UTF8.self).unicodeScalars
        var (room, end) = (keptBytes, scalars.startIndex)
        while end < scalars.endIndex, scalars[end].utf8.count <= room {
            room -= scalars[end].utf8.count
            end = scalars.index(after: end)
        }
        return String(scalars[..<end])
    }

    private static func word(_ outcome: DeliveryOutcome, _ answer: TransferAnswer) -> String {
        switch outcome {
        case .delivered: "delivered"
        case .retry: "queued"
        case .failed, .gone: answer.isBlocked ? "blocked" : "failed"
        }
    }

    /// An attempt in the history, as JSON.
    private static func line(_ answer: TransferAnswer, _ word: String, time: Int) -> String {
        var members = ["\"at\":\(time)", "\"outcome\":\"\(word)\"", "\"duration\":\(answer.milliseconds)"]
        if let status = answer.status { members.append("\"status\":\(status)") }
        if let problem = answer.problem { members.append("\"problem\":\"\(problem.jsonEscaped)\"") }
        return "{\(members.joined(separator: ","))}"
    }

    private func log(
        _ delivery: ClaimedDelivery, _ answer: TransferAnswer, _ word: String, _ settlement: Deliveries.Settlement
    ) {
        let fields: KeyValuePairs = [
            "webhook_id": delivery.webhook.id, "workspace_id": delivery.webhook.workspaceID,
            "event_id": delivery.eventID, "outcome": word, "status": answer.status.map { String($0) } ?? "",
            "problem": answer.problem ?? "",
        ]
        logger.debug("A webhook was told", fields)
        if delivery.webhook.isOperators, word != "delivered", mayTell("the operator's endpoint") {
            logger.warning("The operator's endpoint has not taken an event", fields)
        }
        if case .disabled = settlement {
            metrics.disabled += 1
            logger.warning("A webhook was disabled: its receiver is gone, or has failed for five days", fields)
        }
    }
}
