import Redis
import Scripts

/// What is sent of a change that is an event. The flag: whether it is to tell of which workspace that is.
public typealias EventBody = @Sendable (MeetingChange, Webhook.Event, Bool) -> String

extension Deliveries {
    /// How many events may wait for one webhook. Further ones are dropped, and counted.
    static let maximumWaiting = 5_000
    /// How many events that have ended a webhook's history has, and for how long.
    static let historyEvents = 1_000
    /// The same of the operator's endpoint, of each workspace: what its tenants do must not fill Redis for the operator.
    static let operatorHistoryEvents = 100
    static let historyMilliseconds = 7 * 86_400_000
    private static let endMilliseconds = 1_000
    /// How many entries of an outbox are read at once.
    private static let entriesPerRead = 100
    /// A node that files a partition's outbox has this long until another does.
    private static let filingMilliseconds = 5_000

    /// Files what is in all outboxes, for each webhook that is to be told of it. Safe to repeat, by any node: what was
    /// filed before is not filed again, and an entry goes once all of it is filed.
    /// - Parameters:
    ///   - node: whose this is, so that nodes do not all do the same.
    ///   - body: what is sent.
    /// - Returns: what was done.
    public func fileOutboxes(
        node: String, body: @escaping EventBody
    ) async throws(RedisError) -> FiledEvents {
        let pages = try await session.repliesOfPartitions {
            Command("XRANGE", $0.outbox, "-", "+", "COUNT", String(Self.entriesPerRead))
        }
        var found: [(Partition, [Value])] = []
        for (partition, page) in pages {
            let entries = try session.oddRecords.list(partition.outbox, page)
            if !entries.isEmpty { found.append((partition, entries)) }
        }
        // Side by side: each entry takes its time on the way to Redis and back, and none of a processor meanwhile.
        let all = await atOnce(found) { partition, entries throws(RedisError) in
            try await fileOutbox(entries, in: partition, node, body)
        }
        var sum = FiledEvents()
        for filed in all { sum.add(try filed.get()) }
        return sum
    }

    private func fileOutbox(
        _ entries: [Value], in partition: Partition, _ node: String,
        _ body: @escaping EventBody
    ) async throws(RedisError) -> FiledEvents {
        guard try await mayFile(partition, node) else { return FiledEvents() }
        let filed: FiledEvents
        do throws(RedisError) {
            filed = try await file(entries, in: partition, body)
        } catch {
            _ = try? await session.run(Scripts.Unlock(lockKey: partition.filing, token: node))
            throw error
        }
        _ = try await session.run(Scripts.Unlock(lockKey: partition.filing, token: node))
        return filed
    }

    /// So that nodes do not all do the same: what is filed twice is there once.
    private func mayFile(_ partition: Partition, _ node: String) async throws(RedisError) -> Bool {
        let command = Command("SET", partition.filing, node, "NX", "PX", String(Self.filingMilliseconds))
        do throws(RedisError) {
            if try await session.send(command) != .null { return true }
            try await session.boundLife(of: partition.filing, milliseconds: Self.filingMilliseconds)
            return false
        } catch {
            // A Redis that is full lets scripts file: what is recorded is told.
            guard error.isOutOfMemory else { throw error }
            return true
        }
    }

    private func file(
        _ entries: [Value], in partition: Partition,
        _ body: @escaping EventBody
    ) async throws(RedisError) -> FiledEvents {
        var sum = FiledEvents()
        let operatorRecord = try await operatorRecord(in: partition)
        var known: [String: [Webhook]] = [:]
        var ids: [String] = []
        for entry in entries {
            guard let parts = entry.array, parts.count == 2, let id = parts[0].string else { continue }
            do throws(RedisError) {
                let change = try MeetingChange(id: id, parts[1].hash())
                let workspace = change.meeting.workspaceID
                if known[workspace] == nil {
                    let operators = Webhook(operatorRecord, operatorEndpoint: nil, workspace: workspace)
                    known[workspace] =
                        try await session.webhooks.all(workspace: workspace) + [operators].compactMap(\.self)
                }
                sum.add(try await file(change, for: known[workspace] ?? [], body))
            } catch .unexpectedReply(let text) {
                sum.drop(id, text, session.oddRecords)
            } catch .refused(let text) where text.contains("WRONGTYPE") {
                // Another hand was there. It must not hold up what is behind it.
                sum.drop(id, text, session.oddRecords)
            } catch {
                // Those before it are done: what takes longer than there is time for gets less each time.
                if !ids.isEmpty {
                    let end = session.atLeast(milliseconds: Self.endMilliseconds)
                    _ = try? await end.send(Command(words: ["XDEL", partition.outbox] + ids))
                }
                throw error
            }
            ids.append(id)
        }
        if !ids.isEmpty { _ = try await session.send(Command(words: ["XDEL", partition.outbox] + ids)) }
        return sum
    }

    private func file(
        _ change: MeetingChange, for webhooks: [Webhook], _ body: @escaping EventBody
    ) async throws(RedisError) -> FiledEvents {
        var sum = FiledEvents()
        for event in change.events {
            let wanting = webhooks.filter { $0.isEnabled && $0.wants(event) }
            guard !wanting.isEmpty else { continue }
            let text = wanting.contains { !$0.isOperators } ? body(change, event, false) : ""
            let all = await atOnce(wanting) { webhook throws(RedisError) in
                let text = webhook.isOperators ? body(change, event, true) : text
                return try await file(change, event, text, for: webhook)
            }
            for filed in all { sum.add(try filed.get()) }
        }
        return sum
    }

    private func file(
        _ change: MeetingChange, _ event: Webhook.Event, _ text: String, for webhook: Webhook
    ) async throws(RedisError) -> FiledEvents {
        var sum = FiledEvents()
        do throws(RedisError) {
            switch try await file(change.eventID(event), text, for: webhook) {
            case .filed: sum.filed = 1
            case .dropped:
                sum.dropped = 1
                sum.overflowing = [webhook.isOperators ? "\(webhook.id) (\(webhook.workspaceID))" : webhook.id]
            case .known, .notEnabled: break
            }
        } catch .refused(let text) where text.contains("WRONGTYPE") {
            // Another hand was there: the other webhooks are told all the same.
            sum.drop(change.id, text, session.oddRecords)
        }
        return sum
    }

    /// Files an event for a webhook, which is then due.
    func file(
        _ event: String, _ body: String, for webhook: Webhook
    ) async throws(RedisError) -> Scripts.FileEvent.Reply {
        let own = WorkspaceKeys(workspace: webhook.workspaceID).webhook(webhook.id)
        return try await session.run(
            Scripts.FileEvent(
                webhookKey: own.webhook, dueKey: own.due, historyKey: own.events, pendingKey: own.pending,
                eventID: event, body: body, member: own.member, mostWaiting: Self.maximumWaiting,
                keepMilliseconds: Self.historyMilliseconds))
    }

    /// Files an event that no change of a meeting is behind: a test.
    /// - Returns: false if the webhook is disabled, or too many wait.
    public func fileTest(_ event: String, _ body: String, for webhook: Webhook) async throws(RedisError) -> Bool {
        try await file(event, body, for: webhook) == .filed
    }
}

/// What came of reading outboxes.
public struct FiledEvents: Sendable {
    /// Each for one webhook.
    public var filed = 0
    public var dropped = 0
    /// The ids of webhooks for which too many wait.
    public var overflowing: Set<String> = []

    fileprivate mutating func drop(_ entry: String, _ reason: String, _ records: OddRecords) {
        dropped += 1
        records.note("A change could not be told to webhooks", ["entry": entry, "reason": reason])
    }

    mutating func add(_ other: FiledEvents) {
        filed += other.filed
        dropped += other.dropped
        overflowing.formUnion(other.overflowing)
    }
}
