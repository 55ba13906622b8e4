// Made by `make scripts` from the header of lua/plan_meeting.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Changes a planned meeting that has had no bot yet: its time, whether a bot is sent then, and what that bot is told
    /// (PATCH /meetings). With a new time it counts as missed no more.
    public struct PlanMeeting: ScriptCall {
        public static let script = load("plan_meeting", PackageResources.plan_meeting_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes("changed")
        public let keys: [String]
        public let arguments: [String]

        public init(
            meetingKey: String, workspaceKey: String, plansKey: String, plannedKey: String, calendarKey: String,
            occurrencesKey: String, eventsKey: String, webhooksKey: String, outboxKey: String, operatorKey: String,
            dedupKey: String, meetingID: String, plan: String, leadMilliseconds: Int, lateMilliseconds: Int,
            scheduledAt: Int?, isCleared: Bool, autoJoin: String?, defaultMaxBytes: Int, cleared: String,
            leaseEnd: String?, occurrence: String?, entry: String?, dedupMilliseconds: Int, maxEvents: Int, why: String,
            fields: [String]
        ) {
            keys = [
                meetingKey, workspaceKey, plansKey, plannedKey, calendarKey, occurrencesKey, eventsKey, webhooksKey,
                outboxKey, operatorKey, dedupKey
            ]
            arguments = [
                meetingID, plan, String(leadMilliseconds), String(lateMilliseconds),
                scheduledAt.map { String($0) } ?? "", isCleared ? "1" : "0", autoJoin ?? "", String(defaultMaxBytes),
                cleared, leaseEnd ?? "", occurrence ?? "", entry ?? "", String(dedupMilliseconds), String(maxEvents), why
            ] + fields
        }

        public enum Reply: Equatable, Sendable {
            case changed
            /// There is no such meeting.
            case unknownMeeting
            /// A bot was sent to it, or it was cancelled.
            case notPlanned
            /// It is too late for its time, or that is more than a year ahead.
            case oddTime
            /// Another meeting of the room is planned for the same time.
            case plannedAlready(meetingID: String)
            /// Its workspace would have too many bytes.
            case workspaceFull
            /// The calendar's lease is another's (any more).
            case notYours
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "changed": return .changed
            case "unknown_meeting": return .unknownMeeting
            case "not_planned": return .notPlanned
            case "odd_time": return .oddTime
            case "planned_already": return .plannedAlready(meetingID: try reply.text(1))
            case "workspace_full": return .workspaceFull
            case "not_yours": return .notYours
            default: throw reply.unexpected
            }
        }
    }
}
