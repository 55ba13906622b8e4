// Made by `make scripts` from the header of lua/update_calendar.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Changes a calendar, or asks alone for its feed to be read now: what is under way is followed by another time. Where a
    /// meeting is gone that it shared, that is forgotten with it, so that it plans one of its own.
    public struct UpdateCalendar: ScriptCall {
        public static let script = load("update_calendar", PackageResources.update_calendar_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes("changed")
        public let keys: [String]
        public let arguments: [String]

        public init(
            calendarKey: String, dueKey: String, occurrencesKey: String, member: String, isRemoved: Bool,
            cleared: String, leastMilliseconds: Int, occurrence: String?, shared: String?, fields: [String]
        ) {
            keys = [calendarKey, dueKey, occurrencesKey]
            arguments = [
                member, isRemoved ? "1" : "0", cleared, String(leastMilliseconds), occurrence ?? "", shared ?? ""
            ] + fields
        }

        public enum Reply: Equatable, Sendable {
            case changed(askedAt: Int)
            /// There is no such calendar.
            case unknownCalendar
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "changed": return .changed(askedAt: try reply.integer(1))
            case "unknown_calendar": return .unknownCalendar
            default: throw reply.unexpected
            }
        }
    }
}
