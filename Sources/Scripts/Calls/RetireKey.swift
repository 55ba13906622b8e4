// Made by `make scripts` from the header of lua/retire_key.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Ends an API key that was replaced by another one: after a grace, and never later than it would have ended. Only the
    /// first one that replaces it counts.
    public struct RetireKey: ScriptCall {
        public static let script = load("retire_key", PackageResources.retire_key_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes("retired")
        public let keys: [String]
        public let arguments: [String]

        public init(recordKey: String, successor: String, graceMilliseconds: Int) {
            keys = [recordKey]
            arguments = [successor, String(graceMilliseconds)]
        }

        public enum Reply: Equatable, Sendable {
            case retired(expiresAt: Int)
            /// There is no such key.
            case unknownKey
            /// By the key of this id.
            case retiredBefore(successor: String)
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "retired": return .retired(expiresAt: try reply.integer(1))
            case "unknown_key": return .unknownKey
            case "retired_before": return .retiredBefore(successor: try reply.text(1))
            default: throw reply.unexpected
            }
        }
    }
}
