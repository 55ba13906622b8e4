extension Doctor {
    /// How long a delivery may be due before something is wrong: no attempt takes longer than its lease.
    private static let patienceMilliseconds = 120_000

    /// Whether webhooks are told of what happens.
    public static func webhooks(_ queue: QueueReading) -> Finding {
        let subject = "webhooks"
        let waiting =
            "\(counted(queue.waitingWebhooks, "webhook")) waiting, \(counted(queue.unfiledChanges, "change")) unfiled"
        guard queue.overdueMilliseconds < patienceMilliseconds else {
            return .warn(
                subject, "\(waiting), and what is due first has been due for \(queue.overdueMilliseconds / 1_000) s",
                "See by `usher status` that nodes run, and what their log says of webhooks.")
        }
        return .ok(subject, "\(waiting): nothing is long overdue")
    }

    /// Whether the operator's endpoint takes what it is told; nil where there is none, and nothing waits for one.
    public static func operatorEndpoint(_ queue: QueueReading) -> Finding? {
        let (subject, reading) = ("operator's endpoint", queue.operatorEndpoint)
        guard reading.isThere || reading.waiting > 0 else { return nil }
        let dropped = reading.dropped > 0 ? ", and \(counted(reading.dropped, "event")) dropped so far" : ""
        let waiting = "something waits of \(counted(reading.waiting, "workspace"))\(dropped)"
        if !reading.isThere {
            return .warn(
                subject, "\(waiting), and no node has an address for it",
                "Give nodes --webhook-url again; what waits goes after seven days.")
        }
        if let failing = reading.failingMilliseconds, failing >= patienceMilliseconds {
            return .warn(
                subject, "it has failed for \(failing / 1_000) s; \(waiting)",
                "See what the log of nodes says of it, and that --webhook-url is right.")
        }
        guard reading.overdueMilliseconds < patienceMilliseconds else {
            return .warn(
                subject, "\(waiting), and what is due first has been due for \(reading.overdueMilliseconds / 1_000) s",
                "See by `usher status` that nodes run, and that they have --webhook-url.")
        }
        return .ok(subject, reading.waiting == 0 && dropped.isEmpty ? "nothing waits" : waiting)
    }

    /// What keeps nodes from using the archive; nil: nothing does.
    public static func archive(problem: String?) -> Finding? {
        problem.map {
            .warn(
                "archive", "transcripts stay in Redis, as the archive cannot be used: \(shown($0))",
                "See docs/operations.md, \"The archive\".")
        }
    }
}
