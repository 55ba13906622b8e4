// Made by `make scripts` from the header of lua/unlock.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Gives a workspace's lock back, if it is still the caller's.
    public struct Unlock: ScriptCall {
        public static let script = load("unlock", PackageResources.unlock_lua)
        public let keys: [String]
        public let arguments: [String]

        public init(lockKey: String, token: String) {
            keys = [lockKey]
            arguments = [token]
        }

        public enum Reply: Equatable, Sendable {
            /// Given back.
            case unlocked
            /// The lock is another's.
            case notYours
            /// There is no lock.
            case notLocked
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "unlocked": return .unlocked
            case "not_yours": return .notYours
            case "not_locked": return .notLocked
            default: throw reply.unexpected
            }
        }
    }
}
