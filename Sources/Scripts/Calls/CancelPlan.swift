// Made by `make scripts` from the header of lua/cancel_plan.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Stops a planned meeting before its time: no bot is ever sent to it by itself. docs/architecture.md, "A meeting's
    /// state": "cancelled before its time". Repeating it changes nothing.
    public struct CancelPlan: ScriptCall {
        public static let script = load("cancel_plan", PackageResources.cancel_plan_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes("cancelled", "not_planned")
        public let keys: [String]
        public let arguments: [String]

        public init(
            meetingKey: String, plansKey: String, plannedKey: String, eventsKey: String, endedKey: String,
            webhooksKey: String, outboxKey: String, operatorKey: String, feedKey: String, feedsKey: String,
            roomKey: String, otherKey: String, requestKey: String? = nil, meetingID: String, plan: String,
            maxEvents: Int, why: String, requestMilliseconds: Int
        ) {
            keys = [
                meetingKey, plansKey, plannedKey, eventsKey, endedKey, webhooksKey, outboxKey, operatorKey, feedKey,
                feedsKey, roomKey, otherKey
            ] + Scripts.list(requestKey)
            arguments = [meetingID, plan, String(maxEvents), why, String(requestMilliseconds)]
        }

        public enum Reply: Equatable, Sendable {
            case cancelled
            /// No bot is to be sent to it (any more).
            case notPlanned
            /// The request was made before, and did something.
            case doneBefore
            /// A bot is there by now, which is the one to be stopped.
            case roomHeld
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "cancelled": return .cancelled
            case "not_planned": return .notPlanned
            case "done_before": return .doneBefore
            case "room_held": return .roomHeld
            default: throw reply.unexpected
            }
        }
    }
}
