import EventLoop
import Log
import Metrics
import Redis
import Transfers
import Usher

/// Settings of what follows calendars.
public struct CalendarConfiguration: Sendable {
    /// Where feeds may be.
    public var places = ReceiverPolicy()
    /// After how long one is read again, in ms.
    public var syncMilliseconds = 300_000

    public init() {}

    /// How long nobody else reads the feed that a node has begun with. Where feeds are read often, what a node that died
    /// has begun is to be done soon too.
    var leaseMilliseconds: Int { min(Calendars.longestLeaseMilliseconds, max(6_000, 4 * syncMilliseconds)) }
    /// Of that, so that nothing is done when it may be another's.
    var workMilliseconds: Int { leaseMilliseconds / 6 * 5 }
    /// Of that, until all of a feed is there.
    var fetchMilliseconds: Int { min(30_000, workMilliseconds / 2) }
}

/// Reads the feeds of calendars that are due, and plans what they say. Every node does; there is no leader, and a node that
/// dies loses a lease (docs/calendars.md).
///
/// `@unchecked Sendable`: belongs to the thread of its loop.
public final class CalendarSync: @unchecked Sendable {
    private enum Outcome: String, CaseIterable {
        case read, unchanged, failed
    }

    /// How many are under way at once, and how many of one workspace.
    private static let inAll = 64
    private static let ofWorkspace = 4
    /// Feeds that are longer than most are read a few at a time, so that what is kept of all is bounded.
    private static let ordinaryBytes = 2_097_152
    private static let longInAll = 4
    /// All of a feed is read at least so often, whatever its server says, as time goes on: in ms.
    private static let wholeMilliseconds = 6 * 3_600_000
    /// How long a feed that cannot be read is left alone at most, in ms.
    private static let longestPauseOfFailures = 3_600_000

    private let store: Store
    private let reader: EventLoop
    private let configuration: CalendarConfiguration
    private let logger: Logger
    private let curl: Curl?
    /// What was done since the beginning.
    private var counts: [Outcome: Int] = [:]
    private var underWay: [String: Int] = [:]
    private var sum = 0
    private var long = 0
    private var isStopped = false

    /// - Parameter reader: a loop that is held for as long as it takes to read a feed, and has nothing else to do.
    public init(store: Store, reader: EventLoop, configuration: CalendarConfiguration, logger: Logger) {
        self.store = store
        self.reader = reader
        self.configuration = configuration
        self.logger = logger
        curl = Curl(loop: store.client.loop)
        if curl == nil { logger.error("No calendar is read: libcurl cannot be used") }
    }

    /// Goes on until `stop`.
    public func run() async {
        while !isStopped, curl != nil {
            do throws(RedisError) {
                try await begin()
            } catch {
                if error != .notConnected {
                    logger.warning("Calendars could not all be looked at", ["reason": "\(error)"])
                }
            }
            // The pause varies, so that nodes do not fall into step.
            await store.client.loop.wait(milliseconds: Int.random(in: 500...1_000))
        }
    }

    /// Ends it, on the loop's thread. What is under way another node does again once its lease is over.
    public func stop() {
        isStopped = true
        curl?.close()
    }

    private func begin() async throws(RedisError) {
        // Nothing new is taken then.
        guard !store.memory.isFull else { return }
        let session = store.session(milliseconds: 10_000)
        let places = Self.inAll - sum
        guard places > 0 else { return }
        let due = try await session.calendars.due(most: mostMilliseconds, places: places) { room(of: $0) }
        for (workspace, id) in due where !isStopped {
            guard sum < Self.inAll, room(of: workspace) > 0 else { continue }
            let began = MonotonicTime.now()
            guard
                let calendar = try await session.calendars.claim(
                    workspace: workspace, id: id, lease: configuration.leaseMilliseconds, most: mostMilliseconds)
            else { continue }
            underWay[workspace, default: 0] += 1
            sum += 1
            Task(executorPreference: store.client.loop) { [self] in
                await sync(calendar, until: began.advanced(byMilliseconds: configuration.workMilliseconds))
                underWay[workspace] = (underWay[workspace] ?? 1) > 1 ? underWay[workspace]! - 1 : nil
                sum -= 1
            }
        }
    }

    /// How many more of a workspace's are begun with.
    private func room(of workspace: String) -> Int { Self.ofWorkspace - underWay[workspace, default: 0] }

    /// - Parameter end: when the lease may be another's.
    private func sync(_ calendar: FeedCalendar, until end: MonotonicTime) async {
        do throws(RedisError) {
            let outcome = try await outcome(of: calendar, in: store.session(until: end))
            guard !isStopped else { return }
            _ = try await store.session(milliseconds: 10_000).calendars.settle(calendar, outcome)
        } catch {
            // Its lease ends, and it is done again.
            guard !isStopped else { return }
            logger.warning(
                "A calendar's meetings could not be planned",
                ["calendar_id": calendar.id, "workspace_id": calendar.workspaceID, "reason": "\(error)"])
        }
    }

    private func outcome(of calendar: FeedCalendar, in session: Session) async throws(RedisError) -> CalendarOutcome {
        var outcome = CalendarOutcome()
        // One that is disabled is looked at all the same: it ends when its user leaves.
        outcome.pause = jittered(calendar.isEnabled ? configuration.syncMilliseconds : longestPause)
        let owner = try await session.calendars.owner(of: calendar)
        guard calendar.isEnabled, !calendar.isRemoved, let owner, owner.maySend else {
            outcome.isGone = calendar.isRemoved || owner == nil
            (outcome.counts, outcome.problem, _) = try await plan(.none, of: calendar, in: session)
            // What is left to do is done before it is forgotten.
            if outcome.problem != nil {
                (outcome.isGone, outcome.pause) = (false, 1_000)
            } else if calendar.isEnabled, owner != nil {
                outcome.problem = "its user may send no bots in this workspace"
                // With the role it goes on, and all of its feed is read then, as after a failure.
                outcome.failures = 1
            }
            return outcome
        }
        let reading = await read(calendar, owner.addresses, now: try await session.time(), until: session.deadline)
        if let etag = reading.etag { outcome.etag = etag }
        switch reading.result {
        case .unchanged:
            counts[.unchanged, default: 0] += 1
            outcome.problem = calendar.problem
        case .failed(let problem):
            counts[.failed, default: 0] += 1
            outcome.problem = problem
            outcome.failures = min(calendar.failures + 1, 20)
            let pause = configuration.syncMilliseconds << min(outcome.failures - 1, 10)
            outcome.pause = jittered(min(pause, longestPause))
        case .read(let feed):
            counts[.read, default: 0] += 1
            let said = CalendarMeetings(
                meetings: feed.occurrences.map {
                    CalendarMeeting(
                        uid: $0.uid, recurrenceID: $0.recurrenceID, start: $0.start, end: $0.end, title: $0.title,
                        link: $0.link)
                }, unreadable: feed.unreadable, hasMore: feed.hasMore)
            let shares: Bool
            (outcome.counts, outcome.problem, shares) = try await plan(said, of: calendar, in: session)
            outcome.skipped = CalendarFeed.Skip.allCases.compactMap { skip in
                feed.skipped[skip].map { "\(skip.rawValue)=\($0)" }
            }.joined(separator: " ")
            outcome.isRead = true
            // What is left to do needs all of the feed again, and so does what others may let go.
            if outcome.problem != nil || shares { outcome.etag = nil }
            if outcome.problem == nil {
                outcome.problem =
                    feed.problem.map { "an event \($0)" }
                    ?? (feed.hasMore ? "it has more meetings within two weeks than are planned: the first are" : nil)
            }
        }
        return outcome
    }

    private func plan(
        _ said: CalendarMeetings, of calendar: FeedCalendar, in session: Session
    ) async throws(RedisError) -> (FeedCalendar.Counts, String?, Bool) {
        try await session.calendars.plan(
            calendar, said, isHeld: { [self] in !isStopped && MonotonicTime.now() < session.deadline })
    }

    private var longestPause: Int { max(Self.longestPauseOfFailures, configuration.syncMilliseconds) }
    /// How long one is left alone at most, however it varies.
    private var mostMilliseconds: Int { 2 * longestPause }

    private func jittered(_ milliseconds: Int) -> Int { Int(Double(milliseconds) * Double.random(in: 0.9...1.1)) }

    // MARK: The feed

    private enum Reading {
        case read(CalendarFeed)
        case unchanged
        case failed(String)
    }

    /// - Parameters:
    ///   - now: by Redis' clock.
    ///   - end: how long a long one waits for its turn.
    private func read(
        _ calendar: FeedCalendar, _ owner: Set<String>, now: Int, until end: MonotonicTime
    ) async -> (result: Reading, etag: String?) {
        var fields = ["Accept: text/calendar", "User-Agent: usher-calendars/\(usherVersion)"]
        // As time goes on there is more to plan of a feed that stays as it is. After a failure it is read to know how it is.
        if calendar.failures == 0, let etag = calendar.etag, let readAt = calendar.readAt,
            (0..<Self.wholeMilliseconds).contains(now.subtractingClamped(readAt))
        {
            fields.append("If-None-Match: \(etag)")
        }
        var answer = await fetch(calendar.url, fields, keptBytes: Self.ordinaryBytes + 1)
        let isLong = answer.firstBytes.count > Self.ordinaryBytes
        if isLong {
            answer.firstBytes = []
            while long >= Self.longInAll {
                guard !isStopped, MonotonicTime.now() < end else {
                    return (.failed("other feeds of over \(Self.ordinaryBytes) bytes are read"), nil)
                }
                await store.client.loop.wait(milliseconds: 100)
            }
            long += 1
            answer = await fetch(calendar.url, fields, keptBytes: CalendarFeed.maximumBytes + 1)
        }
        defer { if isLong { long -= 1 } }
        switch answer.status {
        case 200: break
        case 304 where fields.count == 3: return (.unchanged, nil)
        case .some(300..<400): return (.failed("its server leads to another address, which is not followed"), nil)
        case .some(let status): return (.failed("its server answers \(status)"), nil)
        // What libcurl says of a failure names no address.
        case nil: return (.failed("its server cannot be asked: \(answer.problem ?? "no answer")"), nil)
        }
        let bytes = answer.firstBytes
        let read = await Task(executorPreference: reader) { () -> Reading in
            do throws(FeedError) {
                return .read(
                    try CalendarFeed(
                        bytes, span: now...now.addingClamped(CalendarFeed.aheadMilliseconds), owners: owner))
            } catch {
                return .failed("it \(error.reason)")
            }
        }.value
        return (read, answer.etag)
    }

    private func fetch(_ url: String, _ fields: [String], keptBytes: Int) async -> TransferAnswer {
        guard let curl,
            let transfer = Transfer(
                url: url, fields: fields, body: nil, certificates: nil,
                timeoutMilliseconds: configuration.fetchMilliseconds, keptBytes: keptBytes,
                mayConnect: configuration.places.mayConnect)
        else { return .noMemory }
        return await transfer.send(curl)
    }
}

extension CalendarSync: Measured {
    public static let measures: [Measure<CalendarSync>] = [
        Measure(
            .counter, "usher_calendar_syncs_total", by: ["outcome"],
            "Feeds of calendars that this node has read: `read`, `unchanged` as their servers said, or `failed`."
        ) { sync in Outcome.allCases.map { ([$0.rawValue], sync.counts[$0] ?? 0) } }
    ]
}
