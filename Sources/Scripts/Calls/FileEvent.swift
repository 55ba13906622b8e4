// Made by `make scripts` from the header of lua/file_event.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Files an event for a webhook: from then on it is due. Repeating it changes nothing, for as long as the webhook's
    /// history has the event. The operator's endpoint has a list of its own for each workspace: docs/webhooks.md, "The
    /// operator's endpoint".
    public struct FileEvent: ScriptCall {
        public static let script = load("file_event", PackageResources.file_event_lua)
        public let keys: [String]
        public let arguments: [String]

        public init(
            webhookKey: String, dueKey: String, historyKey: String, pendingKey: String, eventID: String, body: String,
            member: String, mostWaiting: Int, keepMilliseconds: Int
        ) {
            keys = [webhookKey, dueKey, historyKey, pendingKey]
            arguments = [eventID, body, member, String(mostWaiting), String(keepMilliseconds)]
        }

        public enum Reply: Equatable, Sendable {
            case filed
            /// It was filed before.
            case known
            /// There is no such webhook, or it is disabled.
            case notEnabled
            /// Too many wait: it is counted.
            case dropped
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "filed": return .filed
            case "known": return .known
            case "not_enabled": return .notEnabled
            case "dropped": return .dropped
            default: throw reply.unexpected
            }
        }
    }
}
