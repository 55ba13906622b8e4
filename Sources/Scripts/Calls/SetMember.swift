// Made by `make scripts` from the header of lua/set_member.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Gives a user a role in a workspace, or another one.
    public struct SetMember: ScriptCall {
        public static let script = load("set_member", PackageResources.set_member_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes("changed")
        public let keys: [String]
        public let arguments: [String]

        public init(workspaceKey: String, membersKey: String, userID: Int, role: String, whom: String, most: Int) {
            keys = [workspaceKey, membersKey]
            arguments = [String(userID), role, whom, String(most)]
        }

        public enum Reply: Equatable, Sendable {
            case changed
            /// There is no such workspace.
            case unknownWorkspace
            /// The workspace would have no owner left.
            case lastOwner
            /// The user is no member, and was to be one.
            case unknownMember
            /// The user is a member with another role, and was to be none.
            case memberBefore
            /// The workspace has as many members as it may have.
            case tooMany
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "changed": return .changed
            case "unknown_workspace": return .unknownWorkspace
            case "last_owner": return .lastOwner
            case "unknown_member": return .unknownMember
            case "member_before": return .memberBefore
            case "too_many": return .tooMany
            default: throw reply.unexpected
            }
        }
    }
}
