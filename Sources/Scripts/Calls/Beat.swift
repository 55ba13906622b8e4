// Made by `make scripts` from the header of lua/beat.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// A node or a runner says that it is there. Whoever has said nothing for a while is taken off the list, and what it
    /// said ends by itself. Repeating it changes nothing but the times.
    public struct Beat: ScriptCall {
        public static let script = load("beat", PackageResources.beat_lua)
        public let keys: [String]
        public let arguments: [String]

        public init(
            peersKey: String, peerKey: String, id: String, lifetimeMilliseconds: Int, uptimeMilliseconds: Int,
            fields: [String]
        ) {
            keys = [peersKey, peerKey]
            arguments = [id, String(lifetimeMilliseconds), String(uptimeMilliseconds)] + fields
        }

        public enum Reply: Equatable, Sendable {
            case noted
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "noted": return .noted
            default: throw reply.unexpected
            }
        }
    }
}
