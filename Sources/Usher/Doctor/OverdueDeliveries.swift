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

    /// What keeps nodes from using the archive; nil: nothing does.
    public static func archive(problem: String?) -> Finding? {
        problem.map {
            .warn(
                "archive", "transcripts stay in Redis, as the archive cannot be used: \(shown($0))",
                "See docs/operations.md, \"The archive\".")
        }
    }
}
