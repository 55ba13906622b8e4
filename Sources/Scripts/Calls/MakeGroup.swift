// Made by `make scripts` from the header of lua/make_group.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Makes a consumer group that reads a stream from its beginning, and the stream if it is not there. Repeating it
    /// changes nothing.
    public struct MakeGroup: ScriptCall {
        public static let script = load("make_group", PackageResources.make_group_lua)
        public let keys: [String]
        public let arguments: [String]

        public init(streamKey: String, group: String) {
            keys = [streamKey]
            arguments = [group]
        }

        public enum Reply: Equatable, Sendable {
            case created
            /// It was there.
            case there
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "created": return .created
            case "there": return .there
            default: throw reply.unexpected
            }
        }
    }
}
