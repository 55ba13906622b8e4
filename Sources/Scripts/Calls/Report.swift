// Made by `make scripts` from the header of lua/report.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Takes in a bot's report of its status, if it comes from the meeting's current bot and is the next step along
    /// docs/architecture.md, "A meeting's state"; anything else changes nothing. The bot's secret has been checked by the
    /// caller.
    public struct Report: ScriptCall {
        public static let script = load("report", PackageResources.report_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes("accepted", "known")
        public let keys: [String]
        public let arguments: [String]

        public init(
            life: Life, heldKey: String, botID: String, meetingID: String, step: String, reason: String?,
            stage: String?, keepMilliseconds: Int, maxEvents: Int, fields: [String]
        ) {
            keys = life.keys + [heldKey]
            arguments = [
                botID, meetingID, step, reason ?? "", stage ?? "", String(keepMilliseconds), String(maxEvents)
            ] + fields
        }

        public enum Reply: Equatable, Sendable {
            /// With the time since its dispatch if it is in the room now.
            case accepted(status: String, botStatus: String, ageMilliseconds: Int?)
            /// Told before, which may still not be on a replica; nothing was changed.
            case known(status: String, botStatus: String)
            /// Not a step that is allowed from here.
            case illegal(from: String, to: String)
            /// The bot is not the meeting's current one, or has ended.
            case stale
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "accepted": return .accepted(status: try reply.text(1), botStatus: try reply.text(2), ageMilliseconds: try reply.optionalInteger(3))
            case "known": return .known(status: try reply.text(1), botStatus: try reply.text(2))
            case "illegal": return .illegal(from: try reply.text(1), to: try reply.text(2))
            case "stale": return .stale
            default: throw reply.unexpected
            }
        }
    }
}
