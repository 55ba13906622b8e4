// Made by `make scripts` from the header of lua/purge_meeting.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Removes a meeting that ended long enough ago, with its transcript: retention. Never one that has a bot, or whose
    /// transcript is being collected. What leads to it from outside its partition is removed by the caller, afterwards: that
    /// this is still to be done is noted in its place among those that have ended, and makes the sweep do it if the caller
    /// stops here.
    public struct PurgeMeeting: ScriptCall {
        public static let script = load("purge_meeting", PackageResources.purge_meeting_lua)
        public let keys: [String]
        public let arguments: [String]

        public init(
            meetingKey: String, segmentsKey: String, meetingsKey: String, latestKey: String, roomKey: String,
            endedKey: String, analyzingKey: String, heldKey: String, namesKey: String, workspaceKey: String,
            imagesKey: String, orderKey: String, feedKey: String, archivedKey: String, movingKey: String,
            removalsKey: String, plannedKey: String, heirKey: String, dedupKey: String? = nil, meetingID: String,
            keepMilliseconds: Int, note: String, room: String, heirID: String?
        ) {
            keys = [
                meetingKey, segmentsKey, meetingsKey, latestKey, roomKey, endedKey, analyzingKey, heldKey, namesKey,
                workspaceKey, imagesKey, orderKey, feedKey, archivedKey, movingKey, removalsKey, plannedKey, heirKey
            ] + Scripts.list(dedupKey)
            arguments = [meetingID, String(keepMilliseconds), note, room, heirID ?? ""]
        }

        public enum Reply: Equatable, Sendable {
            case removed
            /// It is not due, or its transcript is being collected.
            case notDue
            /// It has a bot again: its next end counts.
            case busy
            /// The room's other meeting is another one by now.
            case lookAgain
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "removed": return .removed
            case "not_due": return .notDue
            case "busy": return .busy
            case "look_again": return .lookAgain
            default: throw reply.unexpected
            }
        }
    }
}
