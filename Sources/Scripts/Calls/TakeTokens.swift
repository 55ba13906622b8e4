// Made by `make scripts` from the header of lua/take_tokens.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Takes tokens out of a bucket: as many as it has, up to what is asked for. A bucket fills by so many a second until it
    /// is full; what is kept of it is the moment when it will be, so that a full one takes no memory.
    public struct TakeTokens: ScriptCall {
        public static let script = load("take_tokens", PackageResources.take_tokens_lua)
        public let keys: [String]
        public let arguments: [String]

        public init(bucketKey: String, recordKey: String? = nil, perSecond: Int, burst: Int, wanted: Int) {
            keys = [bucketKey] + Scripts.list(recordKey)
            arguments = [String(perSecond), String(burst), String(wanted)]
        }

        public enum Reply: Equatable, Sendable {
            /// So many.
            case taken(tokens: Int)
            /// Until there is one.
            case empty(milliseconds: Int)
            /// There is no such API key, and so no bucket.
            case unknownKey
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "taken": return .taken(tokens: try reply.integer(1))
            case "empty": return .empty(milliseconds: try reply.integer(1))
            case "unknown_key": return .unknownKey
            default: throw reply.unexpected
            }
        }
    }
}
