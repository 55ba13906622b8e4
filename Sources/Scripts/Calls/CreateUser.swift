// Made by `make scripts` from the header of lua/create_user.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Writes a user's record unless it is there. Repeating it changes nothing, so that whoever meets a user whose creation
    /// stopped half-way can finish it.
    public struct CreateUser: ScriptCall {
        public static let script = load("create_user", PackageResources.create_user_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = { _ in true }
        public let keys: [String]
        public let arguments: [String]

        public init(userKey: String, userID: Int, email: String, workspaceID: String, fields: [String]) {
            keys = [userKey]
            arguments = [String(userID), email, workspaceID] + fields
        }

        /// The record.
        public static func read(_ reply: ReplyParts) throws(RedisError) -> [String: String] {
            try reply.whole.hash()
        }
    }
}
