// Made by `make scripts` from the header of lua/note_recording.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Notes in a meeting's record that what a bot heard is kept in a folder of recordings, once that bot has ended: from
    /// then on the transcript tells of it, and webhooks are told. Not if what the meeting left has been deleted since the
    /// bot's session began. Repeating it changes nothing.
    public struct NoteRecording: ScriptCall {
        public static let script = load("note_recording", PackageResources.note_recording_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes("noted")
        public let keys: [String]
        public let arguments: [String]

        public init(
            meetingKey: String, workspaceKey: String, botKey: String, eventsKey: String, webhooksKey: String,
            outboxKey: String, operatorKey: String, removedKey: String, meetingID: String, botID: String, bytes: Int,
            most: Int, maxEvents: Int, workspaceID: String
        ) {
            keys = [meetingKey, workspaceKey, botKey, eventsKey, webhooksKey, outboxKey, operatorKey, removedKey]
            arguments = [meetingID, botID, String(bytes), String(most), String(maxEvents), workspaceID]
        }

        public enum Reply: Equatable, Sendable {
            case noted
            /// It was noted before.
            case known
            /// The workspace has no such meeting any more, or was removed.
            case unknownMeeting
            /// What the meeting left by then was deleted.
            case deleted
            /// There is no such workspace here.
            case unknownWorkspace
            /// The bot has not ended.
            case underWay
            /// The record tells of so many already.
            case tooMany
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "noted": return .noted
            case "known": return .known
            case "unknown_meeting": return .unknownMeeting
            case "deleted": return .deleted
            case "unknown_workspace": return .unknownWorkspace
            case "under_way": return .underWay
            case "too_many": return .tooMany
            default: throw reply.unexpected
            }
        }
    }
}
