// Made by `make scripts` from the header of lua/ingest_segments.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Takes transcript segments of one session of a meeting in. A draft is replaced by a later form of the same segment, a
    /// confirmed one only by a later confirmed one, and nothing replaces a retracted one; what was taken in before changes
    /// nothing. A record that has been finalised is marked for being finalised again.
    public struct IngestSegments: ScriptCall {
        public static let script = load("ingest_segments", PackageResources.ingest_segments_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changesUnless(-1, -2, -3, -4, -5)
        public let keys: [String]
        public let arguments: [String]

        public init(
            meetingKey: String, segmentsKey: String, analyzingKey: String, workspaceKey: String, botKey: String,
            feedKey: String, feedsKey: String, meetingID: String, botID: String, entry: String?,
            lastingMilliseconds: Int, maxSegments: Int, maxBytes: Int, defaultMaxBytes: Int, segments: [String]
        ) {
            keys = [meetingKey, segmentsKey, analyzingKey, workspaceKey, botKey, feedKey, feedsKey]
            arguments = [
                meetingID, botID, entry ?? "", String(lastingMilliseconds), String(maxSegments), String(maxBytes),
                String(defaultMaxBytes)
            ] + segments
        }

        public enum Reply: Equatable, Sendable {
            /// There is no such meeting.
            case unknownMeeting
            /// Its transcript was deleted after this session.
            case deleted
            /// More than it may have: nothing was changed but the session's beginning.
            case full
            /// The workspace's meetings would have, likewise.
            case workspaceFull
            /// They came by the stream, whose messages anybody may have written, and the bot was not told to use it, or has ended some time ago.
            case notByStream
            /// How many were changed.
            case stored(changed: Int)
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.code {
            case -1: return .unknownMeeting
            case -2: return .deleted
            case -3: return .full
            case -4: return .workspaceFull
            case -5: return .notByStream
            case let number? where number >= 0: return .stored(changed: number)
            default: throw reply.unexpected
            }
        }
    }
}
