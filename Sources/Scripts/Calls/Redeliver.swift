// Made by `make scripts` from the header of lua/redeliver.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Lets an event be delivered to a webhook once more, from the first attempt on.
    public struct Redeliver: ScriptCall {
        public static let script = load("redeliver", PackageResources.redeliver_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes("due")
        public let keys: [String]
        public let arguments: [String]

        public init(
            pendingKey: String, webhookKey: String, dueKey: String, historyKey: String, doneKey: String, member: String,
            eventID: String, keepMilliseconds: Int
        ) {
            keys = [pendingKey, webhookKey, dueKey, historyKey, doneKey]
            arguments = [member, eventID, String(keepMilliseconds)]
        }

        public enum Reply: Equatable, Sendable {
            case due
            /// It waits for its next attempt anyway.
            case waiting
            /// It is not in the history.
            case unknownEvent
            /// There is no such webhook, or it is disabled.
            case notEnabled
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "due": return .due
            case "waiting": return .waiting
            case "unknown_event": return .unknownEvent
            case "not_enabled": return .notEnabled
            default: throw reply.unexpected
            }
        }
    }
}
