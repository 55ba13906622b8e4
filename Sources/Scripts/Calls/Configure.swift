// Made by `make scripts` from the header of lua/configure.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Changes the configuration of the bot that is in a room (PUT /bots/.../config). It reaches the bot by the answer to
    /// its lease, should the message to it be lost.
    public struct Configure: ScriptCall {
        public static let script = load("configure", PackageResources.configure_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes("configured")
        public let keys: [String]
        public let arguments: [String]

        public init(meetingKey: String, botKey: String, botID: String, fields: [String]) {
            keys = [meetingKey, botKey]
            arguments = [botID] + fields
        }

        public enum Reply: Equatable, Sendable {
            /// The new one.
            case configured(configVersion: Int)
            /// This bot is not in the room.
            case notInRoom
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "configured": return .configured(configVersion: try reply.integer(1))
            case "not_in_room": return .notInRoom
            default: throw reply.unexpected
            }
        }
    }
}
