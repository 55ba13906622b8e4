import API
import Calendars
import HTTP
import Log
import Metrics
import Redis
import Usher
import Webhooks

/// What the modules count, by the names of the catalogue. All on the thread of the loop that what is read belongs to.
extension Samples {
    public mutating func add(_ counters: RequestCounters) {
        for answers in counters.answers {
            add(Catalogue.requestDurations, [answers.method, answers.route], answers.durations)
            for outcome in answers.outcomes {
                add(
                    Catalogue.requests,
                    [answers.method, answers.route, String(outcome.status), String(outcome.code)], outcome.count)
            }
            guard let api = Self.dispatching(answers) else { continue }
            for outcome in answers.outcomes { add(Catalogue.dispatches, [api, String(outcome.code)], outcome.count) }
        }
    }

    /// Which API's request for a bot it is; nil for anything else.
    fileprivate static func dispatching(_ answers: RequestCounters.Answers) -> String? {
        guard answers.method == "POST" else { return nil }
        return answers.route == Routes.reinvite ? "reinvite" : answers.route == Routes.bots ? "bots" : nil
    }

    /// The outcomes that the documents of both APIs name are there from the beginning, so that the first one is seen to
    /// be one more than none.
    mutating func addDispatchOutcomes() {
        for code in [202] + Array(12100...12111) { add(Catalogue.dispatches, ["reinvite", String(code)], 0) }
        for code in [201, 409, 429] { add(Catalogue.dispatches, ["bots", String(code)], 0) }
    }

    /// - Parameter serves: what the server's port serves.
    public mutating func add(_ server: HTTP.Server, serves: String) {
        add(Catalogue.connections, [serves], server.connectionCount)
        add(Catalogue.connectionsAccepted, [serves], server.acceptedCount)
    }

    mutating func add(_ store: StoreMetrics) {
        add(Catalogue.lockWaits, store.lockWaits)
        add(Catalogue.lockRefusals, store.lockRefusals)
        add(Catalogue.lockExpiries, store.lockExpiries)
        add(Catalogue.dispatchToLive, store.dispatchToLive)
        add(Catalogue.dispatchExpiries, store.dispatchesExpired)
        add(Catalogue.plans, ["sent"], store.plansSent)
        add(Catalogue.plans, ["missed"], store.plansMissed)
        add(Catalogue.deadLetters, store.deadLetters)
        add(Catalogue.leaseExpiries, ["ended"], store.leasesEnded)
        add(Catalogue.leaseExpiries, ["replaced"], store.leasesReplaced)
    }

    mutating func add(_ feeds: FeedMetrics) {
        add(Catalogue.feedViewers, feeds.viewers)
        add(Catalogue.feedMessages, feeds.told)
        add(Catalogue.feedResets, feeds.resets)
    }

    mutating func add(_ sync: CalendarSync) {
        for outcome in CalendarSync.Outcome.allCases {
            add(Catalogue.calendarSyncs, [outcome.rawValue], sync.counts[outcome] ?? 0)
        }
    }

    mutating func add(_ deliverer: DelivererMetrics) {
        for outcome in DelivererMetrics.outcomes {
            add(Catalogue.webhookAttempts, [outcome], deliverer.attempts[outcome] ?? 0)
        }
        add(Catalogue.webhookEventsDropped, deliverer.dropped)
        add(Catalogue.webhooksDisabled, deliverer.disabled)
    }

    /// - Parameters:
    ///   - name: what the client is for.
    ///   - blocks: whether its calls wait for something to come, so that their durations say nothing.
    public mutating func add(_ client: Client, _ name: String, blocks: Bool = false) {
        let metrics = client.metrics
        add(Catalogue.redisConnected, [name], client.isConnected ? 1 : 0)
        add(Catalogue.redisCommands, [name], metrics.commands)
        for kind in ClientMetrics.Failure.allCases {
            add(Catalogue.redisErrors, [name, kind.rawValue], metrics.failures[kind] ?? 0)
        }
        add(Catalogue.redisReconnections, [name], metrics.reconnections)
        if !blocks { add(Catalogue.redisDurations, [name], metrics.calls) }
    }

    /// What is the whole process', whichever loop it is asked on.
    public mutating func addProcess() {
        add(Catalogue.buildInformation, [usherVersion], 1)
        add(Catalogue.droppedLogLines, LineWriter.standardError.droppedLines)
        guard let process = ProcessStatistics.read() else { return }
        add(Catalogue.processorTime, process.processorSeconds)
        add(Catalogue.residentMemory, process.residentBytes)
        add(Catalogue.virtualMemory, process.virtualBytes)
        add(Catalogue.openDescriptors, process.openDescriptors)
        add(Catalogue.maximumDescriptors, process.maximumDescriptors)
        add(Catalogue.threads, process.threads)
        add(Catalogue.startTime, process.startTime)
    }
}

extension MinuteHistory.Totals {
    mutating func add(_ counters: RequestCounters) {
        for answers in counters.answers {
            for outcome in answers.outcomes {
                requests += outcome.count
                if outcome.status >= 500 { failures += outcome.count }
                if Samples.dispatching(answers) != nil, outcome.status < 300 { dispatches += outcome.count }
            }
        }
    }

    mutating func add(_ other: Self) {
        requests += other.requests
        failures += other.failures
        dispatches += other.dispatches
    }
}
