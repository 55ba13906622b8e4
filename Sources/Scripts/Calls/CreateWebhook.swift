// Made by `make scripts` from the header of lua/create_webhook.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Makes a webhook of a workspace.
    public struct CreateWebhook: ScriptCall {
        public static let script = load("create_webhook", PackageResources.create_webhook_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes("created")
        public let keys: [String]
        public let arguments: [String]

        public init(
            workspaceKey: String, webhooksKey: String, webhookKey: String, webhookID: String, most: Int, asFirst: Bool,
            fields: [String]
        ) {
            keys = [workspaceKey, webhooksKey, webhookKey]
            arguments = [webhookID, String(most), asFirst ? "1" : "0"] + fields
        }

        public enum Reply: Equatable, Sendable {
            case created
            /// There is no such workspace.
            case unknownWorkspace
            /// The workspace has as many as it may have, or a first one.
            case tooMany
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "created": return .created
            case "unknown_workspace": return .unknownWorkspace
            case "too_many": return .tooMany
            default: throw reply.unexpected
            }
        }
    }
}
