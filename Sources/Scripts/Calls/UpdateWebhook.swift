// Made by `make scripts` from the header of lua/update_webhook.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Changes a webhook. One that is enabled again goes on with what waits for it.
    public struct UpdateWebhook: ScriptCall {
        public static let script = load("update_webhook", PackageResources.update_webhook_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes("changed")
        public let keys: [String]
        public let arguments: [String]

        public init(
            webhookKey: String, dueKey: String, pendingKey: String, member: String, enables: Bool, secret: String?,
            overlapMilliseconds: Int, fields: [String]
        ) {
            keys = [webhookKey, dueKey, pendingKey]
            arguments = [member, enables ? "1" : "0", secret ?? "", String(overlapMilliseconds)] + fields
        }

        public enum Reply: Equatable, Sendable {
            case changed
            /// There is no such webhook.
            case unknownWebhook
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "changed": return .changed
            case "unknown_webhook": return .unknownWebhook
            default: throw reply.unexpected
            }
        }
    }
}
