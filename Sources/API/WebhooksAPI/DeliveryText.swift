import Log
import Usher

/// Webhooks and what became of their events, for people. Of an address no more than the host: what follows may be a secret.
public enum DeliveryText {
    public static let header = ["CREATED", "EVENT", "TYPE", "MEETING", "OUTCOME", "ATTEMPTS", "LAST ANSWER"]

    /// - Returns: nil for what another hand wrote.
    public static func row(_ delivery: StoredDelivery) -> [String]? { DeliveryObject(delivery)?.row }

    public static func summary(_ webhook: Webhook) -> String {
        let state =
            webhook.isEnabled
            ? webhook.failingSince.map { "enabled, failing since \(Timestamp.withZone($0))" } ?? "enabled"
            : "disabled" + (webhook.disabledBecause.map { " (\($0.jsonEscaped))" } ?? "")
        let dropped = webhook.dropped > 0 ? ", \(webhook.dropped) events dropped" : ""
        let receiver = webhook.isOperators ? "the operator's endpoint" : ReceiverURL.host(of: webhook.url) ?? "?"
        return "\(receiver): \(state)\(dropped)"
    }
}
