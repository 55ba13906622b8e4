// Made by `make scripts` from the header of lua/delete_meeting.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Removes a meeting's transcript and what was collected or noted about it, and keeps the bare record
    /// (DELETE /meetings). Only for a meeting that no bot is in or on its way to.
    public struct DeleteMeeting: ScriptCall {
        public static let script = load("delete_meeting", PackageResources.delete_meeting_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes("removed")
        public let keys: [String]
        public let arguments: [String]

        public init(
            meetingKey: String, segmentsKey: String, roomKey: String, workspaceKey: String, imagesKey: String,
            orderKey: String, feedKey: String, feedsKey: String, removalsKey: String, meetingID: String
        ) {
            keys = [meetingKey, segmentsKey, roomKey, workspaceKey, imagesKey, orderKey, feedKey, feedsKey, removalsKey]
            arguments = [meetingID]
        }

        public enum Reply: Equatable, Sendable {
            case removed
            /// There is no such meeting.
            case unknownMeeting
            /// Its bot is in the room or on its way, or it is being analysed.
            case busy
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "removed": return .removed
            case "unknown_meeting": return .unknownMeeting
            case "busy": return .busy
            default: throw reply.unexpected
            }
        }
    }
}
