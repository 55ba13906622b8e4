// Made by `make scripts` from the header of lua/stop.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Stops the bot that holds a room. One that no runner has claimed ends at once; any other is told to leave, by the
    /// answer to its lease if by nothing else, and ends as completed whatever happens to it. Repeating it changes nothing.
    /// docs/architecture.md, "A meeting's state": "stop asked" and "stopped before it was in the room".
    public struct Stop: ScriptCall {
        public static let script = load("stop", PackageResources.stop_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes("ended", "leaving", "was_leaving")
        public let keys: [String]
        public let arguments: [String]

        public init(
            life: Life, dispatchKey: String, requestKey: String? = nil, botID: String, meetingID: String,
            keepMilliseconds: Int, maxEvents: Int, why: String, requestMilliseconds: Int
        ) {
            keys = life.keys + [dispatchKey] + Scripts.list(requestKey)
            arguments = [
                botID, meetingID, String(keepMilliseconds), String(maxEvents), why, String(requestMilliseconds)
            ]
        }

        public enum Reply: Equatable, Sendable {
            /// At once.
            case ended(traceparent: String?)
            /// Told to leave.
            case leaving(traceparent: String?)
            /// Was stopping already.
            case wasLeaving(traceparent: String?)
            /// The bot is not the meeting's current one, has ended, or holds no room.
            case stale
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "ended": return .ended(traceparent: try reply.optionalText(1))
            case "leaving": return .leaving(traceparent: try reply.optionalText(1))
            case "was_leaving": return .wasLeaving(traceparent: try reply.optionalText(1))
            case "stale": return .stale
            default: throw reply.unexpected
            }
        }
    }
}
