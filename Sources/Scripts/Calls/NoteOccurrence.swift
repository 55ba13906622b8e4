// Made by `make scripts` from the header of lua/note_occurrence.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Notes what is planned of an occurrence of a calendar, if its feed is still the caller's to read.
    public struct NoteOccurrence: ScriptCall {
        public static let script = load("note_occurrence", PackageResources.note_occurrence_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes("noted")
        public let keys: [String]
        public let arguments: [String]

        public init(calendarKey: String, occurrencesKey: String, leaseEnd: String, occurrence: String, entry: String?) {
            keys = [calendarKey, occurrencesKey]
            arguments = [leaseEnd, occurrence, entry ?? ""]
        }

        public enum Reply: Equatable, Sendable {
            case noted
            /// The lease is another's (any more): nothing is noted.
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
