// Made by `make scripts` from the header of lua/create_key.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Writes the record of an API key. An expiry is Redis' own, so that no node's clock decides when a key ends.
    public struct CreateKey: ScriptCall {
        public static let script = load("create_key", PackageResources.create_key_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changesUnless(0)
        public let keys: [String]
        public let arguments: [String]

        public init(recordKey: String, expiresAt: Int?, fields: [String]) {
            keys = [recordKey]
            arguments = [expiresAt.map { String($0) } ?? ""] + fields
        }

        public enum Reply: Equatable, Sendable {
            /// Expires_at has passed.
            case expired
            case created(createdAt: Int)
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.code {
            case 0: return .expired
            case let number? where number >= 0: return .created(createdAt: number)
            default: throw reply.unexpected
            }
        }
    }
}
