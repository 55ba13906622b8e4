// Made by `make scripts` from the header of lua/remove_plan.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Removes a planned meeting that never had a bot (DELETE /meetings). What leads to it from outside its partition is
    /// removed by the caller, afterwards: that this is still to be done is noted among the meetings that have ended.
    public struct RemovePlan: ScriptCall {
        public static let script = load("remove_plan", PackageResources.remove_plan_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes("removed")
        public let keys: [String]
        public let arguments: [String]

        public init(
            meetingKey: String, meetingsKey: String, latestKey: String, heldKey: String, namesKey: String,
            endedKey: String, previousKey: String, workspaceKey: String, plansKey: String, plannedKey: String,
            calendarKey: String, occurrencesKey: String, heirKey: String, dedupKey: String? = nil, meetingID: String,
            previousID: String?, note: String, room: String, plan: String, leaseEnd: String?, occurrence: String?,
            entry: String?, heirID: String?
        ) {
            keys = [
                meetingKey, meetingsKey, latestKey, heldKey, namesKey, endedKey, previousKey, workspaceKey, plansKey,
                plannedKey, calendarKey, occurrencesKey, heirKey
            ] + Scripts.list(dedupKey)
            arguments = [
                meetingID, previousID ?? "", note, room, plan, leaseEnd ?? "", occurrence ?? "", entry ?? "",
                heirID ?? ""
            ]
        }

        public enum Reply: Equatable, Sendable {
            case removed
            /// There is no such meeting.
            case unknownMeeting
            /// It is planned no more, as a bot was sent to it.
            case notPlanned
            /// The calendar's lease is another's (any more).
            case notYours
            /// The room's other meeting is another one by now.
            case lookAgain
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "removed": return .removed
            case "unknown_meeting": return .unknownMeeting
            case "not_planned": return .notPlanned
            case "not_yours": return .notYours
            case "look_again": return .lookAgain
            default: throw reply.unexpected
            }
        }
    }
}
