// Made by `make scripts` from the header of lua/keep_object.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Keeps a part of an object of the archive in Redis itself, as long as its node may move that meeting.
    public struct KeepObject: ScriptCall {
        public static let script = load("keep_object", PackageResources.keep_object_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes("kept")
        public let keys: [String]
        public let arguments: [String]

        public init(meetingKey: String, objectKey: String, object: String, part: Int, bytes: String) {
            keys = [meetingKey, objectKey]
            arguments = [object, String(part), bytes]
        }

        public enum Reply: Equatable, Sendable {
            case kept
            /// Another node moves the meeting, or it was deleted.
            case notYours
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "kept": return .kept
            case "not_yours": return .notYours
            default: throw reply.unexpected
            }
        }
    }
}
