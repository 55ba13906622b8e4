// Made by `make scripts` from the header of lua/update_meeting.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Changes what users write into a meeting's record: name, participants, languages, notes and their like. Together they
    /// are bounded, whoever wrote which of them when: a list shows them all.
    public struct UpdateMeeting: ScriptCall {
        public static let script = load("update_meeting", PackageResources.update_meeting_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes("changed")
        public let keys: [String]
        public let arguments: [String]

        public init(meetingKey: String, workspaceKey: String, maxBytes: Int, defaultMaxBytes: Int, fields: [String]) {
            keys = [meetingKey, workspaceKey]
            arguments = [String(maxBytes), String(defaultMaxBytes)] + fields
        }

        public enum Reply: Equatable, Sendable {
            case changed
            /// There is no such meeting.
            case unknownMeeting
            /// It would have too many bytes.
            case full
            /// Its workspace would: nothing was changed.
            case workspaceFull
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "changed": return .changed
            case "unknown_meeting": return .unknownMeeting
            case "full": return .full
            case "workspace_full": return .workspaceFull
            default: throw reply.unexpected
            }
        }
    }
}
