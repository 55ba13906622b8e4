// Made by `make scripts` from the header of lua/plan_meeting.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Changes a planned meeting that has had no bot yet: its time, whether a bot is sent then, and what that bot is told
    /// (PATCH /meetings). With a new time it counts as missed no more.
    public struct PlanMeeting: ScriptCall {
        public static let script = load("plan_meeting", PackageResources.plan_meeting_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes(1)
        public let keys: [String]
        public let arguments: [String]

        public init(
            meetingKey: String, workspaceKey: String, plansKey: String, plan: String, leadMilliseconds: Int,
            lateMilliseconds: Int, scheduledAt: Int?, defaultMaxBytes: Int, cleared: String, fields: [String]
        ) {
            keys = [meetingKey, workspaceKey, plansKey]
            arguments = [
                plan, String(leadMilliseconds), String(lateMilliseconds), scheduledAt.map { String($0) } ?? "",
                String(defaultMaxBytes), cleared
            ] + fields
        }

        public enum Reply: Equatable, Sendable {
            case changed
            /// There is no such meeting.
            case unknownMeeting
            /// A bot was sent to it, or it was cancelled.
            case notPlanned
            /// It is too late for the new time.
            case inPast
            /// Its workspace would have too many bytes.
            case workspaceFull
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.code {
            case 1: return .changed
            case 0: return .unknownMeeting
            case -1: return .notPlanned
            case -2: return .inPast
            case -4: return .workspaceFull
            default: throw reply.unexpected
            }
        }
    }
}
