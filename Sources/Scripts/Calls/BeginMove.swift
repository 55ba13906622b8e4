// Made by `make scripts` from the header of lua/begin_move.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Takes a meeting that has been over for long enough, with a lease, so that a node moves its transcript to the
    /// archive. Of one that has nothing in Redis to be moved it notes that. What an earlier node may have written, and not
    /// told of, is removed.
    public struct BeginMove: ScriptCall {
        public static let script = load("begin_move", PackageResources.begin_move_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes("claimed")
        public let keys: [String]
        public let arguments: [String]

        public init(
            meetingKey: String, segmentsKey: String, roomKey: String, endedKey: String, analyzingKey: String,
            archivedKey: String, movingKey: String, removalsKey: String, meetingID: String, afterMilliseconds: Int,
            leaseMilliseconds: Int, object: String
        ) {
            keys = [meetingKey, segmentsKey, roomKey, endedKey, analyzingKey, archivedKey, movingKey, removalsKey]
            arguments = [meetingID, String(afterMilliseconds), String(leaseMilliseconds), object]
        }

        public enum Reply: Equatable, Sendable {
            /// Fields of the record, which tell whether anything comes in meanwhile.
            case claimed(revision: String?, archived: String?, redactedAt: String?)
            /// There is nothing to be moved.
            case nothing
            /// Another node moves it, its transcript is being collected, or it has not been over for so long.
            case notDue
            /// It has a bot again: its next end counts.
            case busy
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "claimed": return .claimed(revision: try reply.optionalText(1), archived: try reply.optionalText(2), redactedAt: try reply.optionalText(3))
            case "nothing": return .nothing
            case "not_due": return .notDue
            case "busy": return .busy
            default: throw reply.unexpected
            }
        }
    }
}
