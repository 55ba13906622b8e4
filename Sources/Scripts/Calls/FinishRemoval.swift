// Made by `make scripts` from the header of lua/finish_removal.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Removes what is left of a workspace that was removed, once it has nothing more, and nothing can come any more of a
    /// request that was under way.
    public struct FinishRemoval: ScriptCall {
        public static let script = load("finish_removal", PackageResources.finish_removal_lua)
        public let keys: [String]
        public let arguments: [String]

        public init(
            workspaceKey: String, membersKey: String, keysKey: String, webhooksKey: String, botsKey: String,
            meetingsKey: String, lockKey: String, namesKey: String, imagesKey: String, orderKey: String,
            feedsKey: String, removingKey: String, removedKey: String, workspaceID: String, lateMilliseconds: Int
        ) {
            keys = [
                workspaceKey, membersKey, keysKey, webhooksKey, botsKey, meetingsKey, lockKey, namesKey, imagesKey,
                orderKey, feedsKey, removingKey, removedKey
            ]
            arguments = [workspaceID, String(lateMilliseconds)]
        }

        public enum Reply: Equatable, Sendable {
            /// Now or before.
            case removed
            /// It has something.
            case underWay
            /// Until nothing can come any more.
            case waits
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "removed": return .removed
            case "under_way": return .underWay
            case "waits": return .waits
            default: throw reply.unexpected
            }
        }
    }
}
