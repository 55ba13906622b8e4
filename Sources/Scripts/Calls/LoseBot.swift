// Made by `make scripts` from the header of lua/lose_bot.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Ends a bot that has gone without a word: its lease ran out, or its runner saw its process end without a terminal
    /// report. One that was not in the room yet is replaced by a new one, next epoch, up to a number of attempts and while
    /// the dispatch is in flight; one in the room ends as failed; a stopped one as completed. Repeating it changes nothing.
    /// docs/architecture.md, "A meeting's state": "failed before it was in the room", "failed in the room, or its runner was
    /// lost".
    public struct LoseBot: ScriptCall {
        public static let script = load("lose_bot", PackageResources.lose_bot_lua)
        public let keys: [String]
        public let arguments: [String]

        public init(
            life: Life, dispatchKey: String, replacementKey: String, primaryKey: String, botID: String,
            meetingID: String, runner: String?, reason: String, replaceable: Bool, maxAttempts: Int,
            replacement: String, keepMilliseconds: Int, maxEvents: Int, leaseMilliseconds: Int, fields: [String]
        ) {
            keys = life.keys + [dispatchKey, replacementKey, primaryKey]
            arguments = [
                botID, meetingID, runner ?? "", reason, replaceable ? "1" : "0", String(maxAttempts), replacement,
                String(keepMilliseconds), String(maxEvents), String(leaseMilliseconds)
            ] + fields
        }

        public enum Reply: Equatable, Sendable {
            case ended(status: String, botStatus: String)
            case replaced(epoch: Int)
            /// It is not the meeting's current bot, or has ended.
            case stale
            /// Its lease has not run out, or may have been renewed by another primary, or the clock leapt.
            case leased
            /// It is not this runner's.
            case notYours
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "ended": return .ended(status: try reply.text(1), botStatus: try reply.text(2))
            case "replaced": return .replaced(epoch: try reply.integer(1))
            case "stale": return .stale
            case "leased": return .leased
            case "not_yours": return .notYours
            default: throw reply.unexpected
            }
        }
    }
}
