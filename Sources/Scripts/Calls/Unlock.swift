// Made by `make scripts` from the header of lua/unlock.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Gives a lock back, if it is still the caller's; or an email, if it still leads to the user.
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
            /// It is another's.
            case notYours
            /// There is none.
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
