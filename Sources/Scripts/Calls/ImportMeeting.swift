// Made by `make scripts` from the header of lua/import_meeting.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Writes the record of a meeting of a workspace that is being imported, whose transcript is there, with all by which
    /// it is found. It is whole then, and what nodes do to it from now on stays.
    public struct ImportMeeting: ScriptCall {
        public static let script = load("import_meeting", PackageResources.import_meeting_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes("written", "known")
        public let keys: [String]
        public let arguments: [String]

        public init(
            workspaceKey: String, meetingsKey: String, latestKey: String, heldKey: String, meetingKey: String,
            eventsKey: String, endedKey: String, analyzingKey: String, importing: String, meetingID: String,
            number: Int, isHeld: Bool, endedAt: Int?, analyzingAt: Int?, eventCount: Int, values: [String]
        ) {
            keys = [workspaceKey, meetingsKey, latestKey, heldKey, meetingKey, eventsKey, endedKey, analyzingKey]
            arguments = [
                importing, meetingID, String(number), isHeld ? "1" : "0", endedAt.map { String($0) } ?? "",
                analyzingAt.map { String($0) } ?? "", String(eventCount)
            ] + values
        }

        public enum Reply: Equatable, Sendable {
            case written
            /// It was written before.
            case known
            /// The workspace is not being imported by that run (any more).
            case notYours
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "written": return .written
            case "known": return .known
            case "not_yours": return .notYours
            default: throw reply.unexpected
            }
        }
    }
}
