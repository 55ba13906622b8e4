// Made by `make scripts` from the header of lua/read_meetings.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Reads meetings' records, one after the other, until what was read has a number of bytes: so that a reply is bounded
    /// whatever users have written into them. At least one is read.
    public struct ReadMeetings: ScriptCall {
        public static let script = load("read_meetings", PackageResources.read_meetings_lua)
        public let keys: [String]
        public let arguments: [String]

        public init(meetingKeys: [String], maxBytes: Int, meetingIDs: [String]) {
            keys = meetingKeys
            arguments = [String(maxBytes)] + meetingIDs
        }

        /// For each record that was read, from the first key on: its meeting_id and then {field, value, ...}, {} where there is none, or the error of what is no hash, which is not to spoil the others.
        public static func read(_ reply: ReplyParts) throws(RedisError) -> [Value] {
            try reply.whole.arrayOrThrow()
        }
    }
}
