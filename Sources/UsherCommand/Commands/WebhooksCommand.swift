import API
import Redis
import Usher

/// `usher webhooks`: the webhooks of a workspace, with the operator's endpoint, and what became of their newest
/// events.
enum WebhooksCommand {
    /// Of each webhook.
    private static let events = 20

    /// - Returns: 0, or 1 if Redis does not answer.
    static func run(_ settings: Settings, workspace: String) -> Int32 {
        do {
            let found = try Records.use(settings, redis: RedisURL(settings.redisURL)) { session in
                var found: [(webhook: Webhook, deliveries: [StoredDelivery])] = []
                let own = try await session.webhooks.all(workspace: workspace)
                let operators = try await session.deliveries.operatorWebhook(of: workspace)
                for webhook in own + [operators].compactMap(\.self) {
                    let newest = try await session.deliveries.newest(of: webhook, limit: events)
                    found.append((webhook, try await session.deliveries.contents(of: newest[...], for: webhook)))
                }
                return found
            }
            if found.isEmpty { Terminal.say("no webhooks") }
            for (webhook, deliveries) in found {
                for line in lines(webhook, deliveries) { Terminal.say(line) }
            }
            return 0
        } catch {
            Terminal.complain("\(error)")
            return 1
        }
    }

    private static func lines(_ webhook: Webhook, _ deliveries: [StoredDelivery]) -> [String] {
        let rows = deliveries.compactMap(DeliveryText.row).sorted { $0[0] > $1[0] }.prefix(events)
        return ["\(webhook.id)  \(DeliveryText.summary(webhook))"]
            + OverviewText.table(DeliveryText.header, Array(rows))
    }
}
