// Made by `make scripts` from the header of lua/expire_dispatch.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Ends a dispatch that no runner claimed while its in-flight key lived: no runner may claim it any more, so the room
    /// can be given out again. docs/architecture.md, "A meeting's state": "failed before it was in the room". Repeating it
    /// changes nothing.
    public struct ExpireDispatch: ScriptCall {
        public static let script = load("expire_dispatch", PackageResources.expire_dispatch_lua)
        public let keys: [String]
        public let arguments: [String]

        public init(
            life: Life, dispatchKey: String, botID: String, meetingID: String, keepMilliseconds: Int, maxEvents: Int
        ) {
            keys = life.keys + [dispatchKey]
            arguments = [botID, meetingID, String(keepMilliseconds), String(maxEvents)]
        }

        public enum Reply: Equatable, Sendable {
            case ended
            /// The dispatch is still in flight, or another hand wrote that the bot is in the room.
            case inFlight
            /// A runner has claimed it.
            case claimedBefore
            /// The bot is not the meeting's current one.
            case stale
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "ended": return .ended
            case "in_flight": return .inFlight
            case "claimed_before": return .claimedBefore
            case "stale": return .stale
            default: throw reply.unexpected
            }
        }
    }
}
