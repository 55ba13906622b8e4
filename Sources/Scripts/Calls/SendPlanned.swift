// Made by `make scripts` from the header of lua/send_planned.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Sends the bot of a planned meeting when its time has come: all of a dispatch at once, as request_bot.lua. What keeps
    /// it from that is noted in the record and tried again, until it is too late: then the meeting counts as missed. Any
    /// node may ask at any time, and as often as it likes. docs/architecture.md, "A meeting's state": "dispatch accepted".
    public struct SendPlanned: ScriptCall {
        public static let script = load("send_planned", PackageResources.send_planned_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes("sent", "served", "waits", "waits_still", "missed")
        public let keys: [String]
        public let arguments: [String]

        public init(
            workspaceKey: String, inflightKey: String, roomKey: String, botsKey: String, meetingKey: String,
            botKey: String, dispatchKey: String, eventsKey: String, webhooksKey: String, outboxKey: String,
            operatorKey: String, plansKey: String, plannedKey: String, endedKey: String, feedKey: String,
            feedsKey: String, namesKey: String, otherKey: String, anotherKey: String, meetingID: String, plan: String,
            workspaceID: String, room: String, nativeID: String, botID: String, inflightMilliseconds: Int,
            maxEvents: Int, defaultMaxBots: Int, lateMilliseconds: Int, retryMilliseconds: Int, traceparent: String
        ) {
            keys = [
                workspaceKey, inflightKey, roomKey, botsKey, meetingKey, botKey, dispatchKey, eventsKey, webhooksKey,
                outboxKey, operatorKey, plansKey, plannedKey, endedKey, feedKey, feedsKey, namesKey, otherKey, anotherKey
            ]
            arguments = [
                meetingID, plan, workspaceID, room, nativeID, botID, String(inflightMilliseconds), String(maxEvents),
                String(defaultMaxBots), String(lateMilliseconds), String(retryMilliseconds), traceparent
            ]
        }

        public enum Reply: Equatable, Sendable {
            case sent(epoch: Int)
            /// Not yet, or not any more.
            case notDue
            /// It has had a bot, was cancelled or removed, or its workspace was.
            case served
            /// Room_taken, as a bot is there, or too_many_bots, of the workspace.
            case waits(reason: String)
            /// For the same reason as before.
            case waitsStill(reason: String)
            /// The room has become a name of another.
            case lookAgain
            /// It is too late (told once); what kept it back, or too_late.
            case missed(reason: String)
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "sent": return .sent(epoch: try reply.integer(1))
            case "not_due": return .notDue
            case "served": return .served
            case "waits": return .waits(reason: try reply.text(1))
            case "waits_still": return .waitsStill(reason: try reply.text(1))
            case "look_again": return .lookAgain
            case "missed": return .missed(reason: try reply.text(1))
            default: throw reply.unexpected
            }
        }
    }
}
