// Made by `make scripts` from the header of lua/claim_deliveries.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Takes events that are due for a webhook, each with a lease: until it ends, no other node takes them.
    public struct ClaimDeliveries: ScriptCall {
        public static let script = load("claim_deliveries", PackageResources.claim_deliveries_lua)
        public let keys: [String]
        public let arguments: [String]

        public init(
            pendingKey: String, webhookKey: String, dueKey: String, historyKey: String, member: String,
            leaseMilliseconds: Int, most: Int, mostFailing: Int, turnMilliseconds: Int
        ) {
            keys = [pendingKey, webhookKey, dueKey, historyKey]
            arguments = [member, String(leaseMilliseconds), String(most), String(mostFailing), String(turnMilliseconds)]
        }

        public enum Reply: Equatable, Sendable {
            /// Each event as {event_id, end of the lease ms, tries, body}.
            case claimed(webhook: [String: String], events: [Value])
            /// There is no such webhook, or it is disabled.
            case notEnabled
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "claimed": return .claimed(webhook: try reply.hash(1), events: try reply.array(2))
            case "not_enabled": return .notEnabled
            default: throw reply.unexpected
            }
        }
    }
}
