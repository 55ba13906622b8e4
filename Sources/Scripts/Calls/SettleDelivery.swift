// Made by `make scripts` from the header of lua/settle_delivery.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Notes what came of an attempt to deliver an event, if it is still the caller's. A webhook that says that it is gone,
    /// or that has failed for too long, is disabled.
    public struct SettleDelivery: ScriptCall {
        public static let script = load("settle_delivery", PackageResources.settle_delivery_lua)
        public let keys: [String]
        public let arguments: [String]

        public init(
            pendingKey: String, webhookKey: String, dueKey: String, historyKey: String, doneKey: String, member: String,
            eventID: String, leaseEnd: String, outcome: String, pauseMilliseconds: Int, attempt: String, answer: String,
            failingMilliseconds: Int, mostHistory: Int, keepMilliseconds: Int
        ) {
            keys = [pendingKey, webhookKey, dueKey, historyKey, doneKey]
            arguments = [
                member, eventID, leaseEnd, outcome, String(pauseMilliseconds), attempt, answer,
                String(failingMilliseconds), String(mostHistory), String(keepMilliseconds)
            ]
        }

        public enum Reply: Equatable, Sendable {
            case noted
            /// Noted, and the webhook is disabled by it.
            case disabled
            /// The lease is another's (any more): nothing is noted.
            case notYours
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "noted": return .noted
            case "disabled": return .disabled
            case "not_yours": return .notYours
            default: throw reply.unexpected
            }
        }
    }
}
