// Made by `make scripts` from the header of lua/keep_operator.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Says for a time that the operator has an endpoint, which is to be told what happens in all workspaces of a partition,
    /// and of what. Nodes that have it as a setting repeat this. Failures before it took an event last are over, also where
    /// that was one of another partition.
    public struct KeepOperator: ScriptCall {
        public static let script = load("keep_operator", PackageResources.keep_operator_lua)
        public let keys: [String]
        public let arguments: [String]

        public init(operatorKey: String, events: String, keepMilliseconds: Int, tookMilliseconds: Int?) {
            keys = [operatorKey]
            arguments = [events, String(keepMilliseconds), tookMilliseconds.map { String($0) } ?? ""]
        }

        public enum Reply: Equatable, Sendable {
            case kept
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "kept": return .kept
            default: throw reply.unexpected
            }
        }
    }
}
