// Made by `make scripts` from the header of lua/remove_workspace.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Removes a workspace: from here on there is none of this id, whoever asks by whichever key, and nothing is made in it.
    /// What it has left a node takes to pieces. Repeating it changes nothing.
    public struct RemoveWorkspace: ScriptCall {
        public static let script = load("remove_workspace", PackageResources.remove_workspace_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes("removing")
        public let keys: [String]
        public let arguments: [String]

        public init(
            workspaceKey: String, membersKey: String, lockKey: String, removingKey: String, removedKey: String,
            workspaceID: String
        ) {
            keys = [workspaceKey, membersKey, lockKey, removingKey, removedKey]
            arguments = [workspaceID]
        }

        public enum Reply: Equatable, Sendable {
            case removing
            /// There is no such workspace, or nothing of it is left.
            case unknownWorkspace
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "removing": return .removing
            case "unknown_workspace": return .unknownWorkspace
            default: throw reply.unexpected
            }
        }
    }
}
