// Made by `make scripts` from the header of lua/let_go.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Lets go of a transcript that the archive has, if nothing has changed since it was read: neither came anything in, nor
    /// was anything deleted, nor did another node move it. Else what was written is removed, and the meeting is moved anew.
    public struct LetGo: ScriptCall {
        public static let script = load("let_go", PackageResources.let_go_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes("gone")
        public let keys: [String]
        public let arguments: [String]

        public init(
            meetingKey: String, segmentsKey: String, roomKey: String, endedKey: String, analyzingKey: String,
            archivedKey: String, movingKey: String, removalsKey: String, workspaceKey: String, feedKey: String,
            objectKey: String, meetingID: String, object: String, revision: String?, before: String?,
            redactedAt: String?, archived: String, bytes: Int, keepMilliseconds: Int, partBytes: Int,
            participants: String, languages: String
        ) {
            keys = [
                meetingKey, segmentsKey, roomKey, endedKey, analyzingKey, archivedKey, movingKey, removalsKey,
                workspaceKey, feedKey, objectKey
            ]
            arguments = [
                meetingID, object, revision ?? "", before ?? "", redactedAt ?? "", archived, String(bytes),
                String(keepMilliseconds), String(partBytes), participants, languages
            ]
        }

        public enum Reply: Equatable, Sendable {
            case gone
            /// Another node moves it, or it was deleted: the caller removes what it has written.
            case notYours
            /// It has changed, and what was written is removed.
            case lookAgain
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "gone": return .gone
            case "not_yours": return .notYours
            case "look_again": return .lookAgain
            default: throw reply.unexpected
            }
        }
    }
}
