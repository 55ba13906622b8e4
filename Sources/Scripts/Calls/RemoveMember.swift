// Made by `make scripts` from the header of lua/remove_member.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Takes a user out of a workspace: the user's API keys for it are refused from the next request on.
    public struct RemoveMember: ScriptCall {
        public static let script = load("remove_member", PackageResources.remove_member_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes("removed", "unknown_member")
        public let keys: [String]
        public let arguments: [String]

        public init(membersKey: String, userID: Int) {
            keys = [membersKey]
            arguments = [String(userID)]
        }

        public enum Reply: Equatable, Sendable {
            case removed
            /// The user is no member; one removed before may still be there on a replica.
            case unknownMember
            /// The workspace would have no owner left.
            case lastOwner
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "removed": return .removed
            case "unknown_member": return .unknownMember
            case "last_owner": return .lastOwner
            default: throw reply.unexpected
            }
        }
    }
}
