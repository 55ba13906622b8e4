// Made by `make scripts` from the header of lua/delete_webhook.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Removes a webhook, with what waits for it and its history.
    public struct DeleteWebhook: ScriptCall {
        public static let script = load("delete_webhook", PackageResources.delete_webhook_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes("removed")
        public let keys: [String]
        public let arguments: [String]

        public init(
            webhooksKey: String, webhookKey: String, dueKey: String, historyKey: String, doneKey: String,
            pendingKey: String, workspaceKey: String, webhookID: String, member: String, asFirst: Bool
        ) {
            keys = [webhooksKey, webhookKey, dueKey, historyKey, doneKey, pendingKey, workspaceKey]
            arguments = [webhookID, member, asFirst ? "1" : "0"]
        }

        public enum Reply: Equatable, Sendable {
            case removed
            /// There is no such webhook.
            case unknownWebhook
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "removed": return .removed
            case "unknown_webhook": return .unknownWebhook
            default: throw reply.unexpected
            }
        }
    }
}
