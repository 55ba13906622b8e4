// Made by `make scripts` from the header of lua/note_ending.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// A runner notes why it ends a bot, before it does: the bot itself only learns that it is to leave, and may report that
    /// it was stopped. Repeating it changes nothing.
    public struct NoteEnding: ScriptCall {
        public static let script = load("note_ending", PackageResources.note_ending_lua)
        public let keys: [String]
        public let arguments: [String]

        public init(botKey: String, runner: String, reason: String) {
            keys = [botKey]
            arguments = [runner, reason]
        }

        public enum Reply: Equatable, Sendable {
            case noted
            /// The bot is not this runner's, or has ended.
            case notYours
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "noted": return .noted
            case "not_yours": return .notYours
            default: throw reply.unexpected
            }
        }
    }
}
