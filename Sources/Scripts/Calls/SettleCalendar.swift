// Made by `make scripts` from the header of lua/settle_calendar.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Notes what came of the reading of a calendar's feed, if it is still the caller's, and when it is read next.
    public struct SettleCalendar: ScriptCall {
        public static let script = load("settle_calendar", PackageResources.settle_calendar_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes("noted")
        public let keys: [String]
        public let arguments: [String]

        public init(
            calendarKey: String, dueKey: String, calendarsKey: String, plannedKey: String, member: String,
            calendarID: String, leaseEnd: String, pauseMilliseconds: Int, isGone: Bool, leastMilliseconds: Int,
            cleared: String, fields: [String]
        ) {
            keys = [calendarKey, dueKey, calendarsKey, plannedKey]
            arguments = [
                member, calendarID, leaseEnd, String(pauseMilliseconds), isGone ? "1" : "0", String(leastMilliseconds),
                cleared
            ] + fields
        }

        public enum Reply: Equatable, Sendable {
            case noted
            /// The lease is another's (any more): nothing is noted.
            case notYours
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "noted": return .noted
            case "not_yours": return .notYours
            default: throw reply.unexpected
            }
        }
    }
}
