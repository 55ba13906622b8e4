// Made by `make scripts` from the header of lua/create_key.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Writes the record of an API key. An expiry is Redis' own, so that no node's clock decides when a key ends.
    public struct CreateKey: ScriptCall {
        public static let script = load("create_key", PackageResources.create_key_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes("created")
        public let keys: [String]
        public let arguments: [String]

        public init(recordKey: String, expiresAt: Int?, fields: [String]) {
            keys = [recordKey]
            arguments = [expiresAt.map { String($0) } ?? ""] + fields
        }

        public enum Reply: Equatable, Sendable {
            case created(createdAt: Int)
            /// Expires_at has passed.
            case expired
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "created": return .created(createdAt: try reply.integer(1))
            case "expired": return .expired
            default: throw reply.unexpected
            }
        }
    }
}
