import Metrics

/// What a deliverer counts from its beginning on.
///
/// `@unchecked Sendable`: belongs to the thread of its loop.
public final class DelivererMetrics: @unchecked Sendable {
    /// By outcome.
    private var attempts: [String: Int] = [:]
    /// Of those, to the operator's endpoint.
    private var operatorAttempts: [String: Int] = [:]
    /// Events that were not filed, since too many waited.
    var dropped = 0
    /// Webhooks that were disabled.
    var disabled = 0

    /// Counts an attempt, by what came of it.
    func count(_ outcome: String, isOperators: Bool) {
        attempts[outcome, default: 0] += 1
        if isOperators { operatorAttempts[outcome, default: 0] += 1 }
    }

    private static let outcomes = ["delivered", "queued", "failed", "blocked"]
}

extension DelivererMetrics: Measured {
    public static let measures: [Measure<DelivererMetrics>] = [
        Measure(
            .counter, "usher_webhook_attempts_total", by: ["outcome"],
            "Attempts to deliver an event, of this node, by what came of them: delivered; queued, since it is tried again; "
                + "failed; blocked, since the address is private."
        ) { metrics in
            outcomes.map { ([$0], metrics.attempts[$0] ?? 0) }
        },
        Measure(
            .counter, "usher_operator_webhook_attempts_total", by: ["outcome"],
            "Of these, those to the operator's endpoint (`--webhook-url`)."
        ) { metrics in
            outcomes.map { ([$0], metrics.operatorAttempts[$0] ?? 0) }
        },
        Measure(
            .counter, "usher_webhook_events_dropped_total",
            "Events that were not filed for a webhook, as this node found, since too many waited or a record was spoilt."
        ) { $0.dropped },
        Measure(
            .counter, "usher_webhooks_disabled_total",
            "Webhooks that were disabled by an attempt of this node: their receivers are gone, or have failed for five days."
        ) { $0.disabled },
    ]
}
