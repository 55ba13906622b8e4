// Made by `make scripts` from the header of lua/ingest_segments.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Takes transcript segments of one session of a meeting in. A draft is replaced by a later form of the same segment, a
    /// confirmed one only by a later confirmed one, and nothing replaces a retracted one; what was taken in before changes
    /// nothing. A record that has been finalised is marked for being finalised again, and moved to the archive again.
    public struct IngestSegments: ScriptCall {
        public static let script = load("ingest_segments", PackageResources.ingest_segments_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes("stored")
        public let keys: [String]
        public let arguments: [String]

        public init(
            meetingKey: String, segmentsKey: String, analyzingKey: String, workspaceKey: String, botKey: String,
            feedKey: String, feedsKey: String, endedKey: String, meetingID: String, botID: String, entry: String?,
            lastingMilliseconds: Int, maxSegments: Int, maxBytes: Int, defaultMaxBytes: Int, segments: [String]
        ) {
            keys = [meetingKey, segmentsKey, analyzingKey, workspaceKey, botKey, feedKey, feedsKey, endedKey]
            arguments = [
                meetingID, botID, entry ?? "", String(lastingMilliseconds), String(maxSegments), String(maxBytes),
                String(defaultMaxBytes)
            ] + segments
        }

        public enum Reply: Equatable, Sendable {
            /// How many were changed.
            case stored(changed: Int)
            /// There is no such meeting.
            case unknownMeeting
            /// Its transcript was deleted after this session.
            case deleted
            /// More than it may have: nothing was changed but the session's beginning.
            case full
            /// The workspace's meetings would have, likewise.
            case workspaceFull
            /// What is there of them is too large to be read at once, likewise: send half.
            case tooMuch
            /// They came by the stream, whose messages anybody may have written, and the bot was not told to use it, or has ended some time ago.
            case notByStream
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "stored": return .stored(changed: try reply.integer(1))
            case "unknown_meeting": return .unknownMeeting
            case "deleted": return .deleted
            case "full": return .full
            case "workspace_full": return .workspaceFull
            case "too_much": return .tooMuch
            case "not_by_stream": return .notByStream
            default: throw reply.unexpected
            }
        }
    }
}
