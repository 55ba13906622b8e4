// Made by `make scripts` from the header of lua/remove_meeting.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Removes a meeting of a workspace that was removed, whatever its state, with its transcript. What leads to it from
    /// elsewhere is gone by then.
    public struct RemoveMeeting: ScriptCall {
        public static let script = load("remove_meeting", PackageResources.remove_meeting_lua)
        public let keys: [String]
        public let arguments: [String]

        public init(
            meetingKey: String, segmentsKey: String, feedKey: String, botsKey: String, meetingsKey: String,
            plansKey: String, analyzingKey: String, endedKey: String, archivedKey: String, movingKey: String,
            removalsKey: String, meetingID: String, plan: String
        ) {
            keys = [
                meetingKey, segmentsKey, feedKey, botsKey, meetingsKey, plansKey, analyzingKey, endedKey, archivedKey,
                movingKey, removalsKey
            ]
            arguments = [meetingID, plan]
        }

        public enum Reply: Equatable, Sendable {
            case removed
            /// The workspace has a bot.
            case busy
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "removed": return .removed
            case "busy": return .busy
            default: throw reply.unexpected
            }
        }
    }
}
