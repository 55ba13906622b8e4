// Made by `make scripts` from the header of lua/finalise.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Writes what was collected from the transcript into the record of a meeting whose bot has left, and moves it from
    /// ANALYZING to OFFLINE. A record that is OFFLINE already gets what came in late. What a user wrote stays. Repeating it
    /// changes nothing. docs/architecture.md, "A meeting's state": "record finalised".
    public struct Finalise: ScriptCall {
        public static let script = load("finalise", PackageResources.finalise_lua)
        public let keys: [String]
        public let arguments: [String]

        public init(
            meetingKey: String, analyzingKey: String, eventsKey: String, botKey: String, webhooksKey: String,
            outboxKey: String, operatorKey: String, feedKey: String, feedsKey: String, meetingID: String, botID: String,
            revision: String?, participants: String, languages: String, maxEvents: Int
        ) {
            keys = [meetingKey, analyzingKey, eventsKey, botKey, webhooksKey, outboxKey, operatorKey, feedKey, feedsKey]
            arguments = [meetingID, botID, revision ?? "", participants, languages, String(maxEvents)]
        }

        public enum Reply: Equatable, Sendable {
            case finalised
            /// It was OFFLINE already, and has what came in since, or gets it from who has read that.
            case upToDate
            /// The meeting is not over, or not after this bot's session.
            case notOver
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "finalised": return .finalised
            case "up_to_date": return .upToDate
            case "not_over": return .notOver
            default: throw reply.unexpected
            }
        }
    }
}
