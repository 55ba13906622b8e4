// Made by `make scripts` from the header of lua/create_workspace.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Writes a workspace with its owner unless it is there, or was removed. Repeating it changes nothing.
    public struct CreateWorkspace: ScriptCall {
        public static let script = load("create_workspace", PackageResources.create_workspace_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = { _ in true }
        public let keys: [String]
        public let arguments: [String]

        public init(
            workspaceKey: String, membersKey: String, removedKey: String, workspaceID: String, name: String,
            maxConcurrentBots: Int, owner: Int
        ) {
            keys = [workspaceKey, membersKey, removedKey]
            arguments = [workspaceID, name, String(maxConcurrentBots), String(owner)]
        }

        /// The workspace; nothing of one that was removed.
        public static func read(_ reply: ReplyParts) throws(RedisError) -> [String: String] {
            try reply.whole.hash()
        }
    }
}
