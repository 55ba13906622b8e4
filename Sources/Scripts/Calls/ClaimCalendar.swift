// Made by `make scripts` from the header of lua/claim_calendar.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Takes a calendar whose feed is due to be read, with a lease: until it ends, no other node does.
    public struct ClaimCalendar: ScriptCall {
        public static let script = load("claim_calendar", PackageResources.claim_calendar_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes("claimed")
        public let keys: [String]
        public let arguments: [String]

        public init(
            calendarKey: String, dueKey: String, member: String, leaseMilliseconds: Int, mostMilliseconds: Int
        ) {
            keys = [calendarKey, dueKey]
            arguments = [member, String(leaseMilliseconds), String(mostMilliseconds)]
        }

        public enum Reply: Equatable, Sendable {
            /// Its `lease_end` is the caller's.
            case claimed(calendar: [String: String])
            /// Another node has it, or there is no such calendar (any more).
            case notDue
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "claimed": return .claimed(calendar: try reply.hash(1))
            case "not_due": return .notDue
            default: throw reply.unexpected
            }
        }
    }
}
