// Made by `make scripts` from the header of lua/import_plan.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Has a planned meeting of a workspace that is being imported be sent a bot at its time. Repeating it changes nothing.
    public struct ImportPlan: ScriptCall {
        public static let script = load("import_plan", PackageResources.import_plan_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes("planned", "served")
        public let keys: [String]
        public let arguments: [String]

        public init(
            workspaceKey: String, meetingKey: String, plansKey: String, plannedKey: String, importing: String,
            meetingID: String, plan: String, due: Int
        ) {
            keys = [workspaceKey, meetingKey, plansKey, plannedKey]
            arguments = [importing, meetingID, plan, String(due)]
        }

        public enum Reply: Equatable, Sendable {
            case planned
            /// It has had a bot, was missed, cancelled or removed.
            case served
            /// The workspace is not being imported by that run (any more).
            case notYours
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "planned": return .planned
            case "served": return .served
            case "not_yours": return .notYours
            default: throw reply.unexpected
            }
        }
    }
}
