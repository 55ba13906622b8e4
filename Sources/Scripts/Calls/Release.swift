// Made by `make scripts` from the header of lua/release.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// A runner hands a claimed bot back that it has not started: another runner may claim it. Repeating it changes nothing.
    public struct Release: ScriptCall {
        public static let script = load("release", PackageResources.release_lua)
        public let keys: [String]
        public let arguments: [String]

        public init(
            meetingKey: String, botKey: String, leasesKey: String, dispatchKey: String, botID: String, runner: String
        ) {
            keys = [meetingKey, botKey, leasesKey, dispatchKey]
            arguments = [botID, runner]
        }

        public enum Reply: Equatable, Sendable {
            /// Handed back.
            case released
            /// The bot is not this runner's (any more).
            case notYours
            /// It is no longer wanted.
            case unwanted
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "released": return .released
            case "not_yours": return .notYours
            case "unwanted": return .unwanted
            default: throw reply.unexpected
            }
        }
    }
}
