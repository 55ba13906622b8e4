// Made by `make scripts` from the header of lua/create_calendar.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Makes a calendar of a user in a workspace; if it is enabled, its feed is read at once.
    public struct CreateCalendar: ScriptCall {
        public static let script = load("create_calendar", PackageResources.create_calendar_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes("created")
        public let keys: [String]
        public let arguments: [String]

        public init(
            membersKey: String, calendarsKey: String, calendarKey: String, dueKey: String, calendarID: String,
            userID: String, member: String, most: Int, isEnabled: Bool, fields: [String]
        ) {
            keys = [membersKey, calendarsKey, calendarKey, dueKey]
            arguments = [calendarID, userID, member, String(most), isEnabled ? "1" : "0"] + fields
        }

        public enum Reply: Equatable, Sendable {
            case created
            /// The user is no member of the workspace.
            case unknownMember
            /// The user has as many as a user may have.
            case tooMany
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "created": return .created
            case "unknown_member": return .unknownMember
            case "too_many": return .tooMany
            default: throw reply.unexpected
            }
        }
    }
}
