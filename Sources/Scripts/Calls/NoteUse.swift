// Made by `make scripts` from the header of lua/note_use.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Notes that an API key was used, to the minute. A key that has expired or was revoked stays gone.
    public struct NoteUse: ScriptCall {
        public static let script = load("note_use", PackageResources.note_use_lua)
        public let keys: [String]
        public let arguments: [String]

        public init(recordKey: String) {
            keys = [recordKey]
            arguments = []
        }

        public enum Reply: Equatable, Sendable {
            case noted
            /// For this minute already.
            case known
            /// There is no such key.
            case unknownKey
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "noted": return .noted
            case "known": return .known
            case "unknown_key": return .unknownKey
            default: throw reply.unexpected
            }
        }
    }
}
