// Made by `make scripts` from the header of lua/raise_sequence.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Has a sequence give numbers above one that is taken.
    public struct RaiseSequence: ScriptCall {
        public static let script = load("raise_sequence", PackageResources.raise_sequence_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes("raised", "above")
        public let keys: [String]
        public let arguments: [String]

        public init(sequenceKey: String, number: Int) {
            keys = [sequenceKey]
            arguments = [String(number)]
        }

        public enum Reply: Equatable, Sendable {
            case raised
            /// It was there already.
            case above
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "raised": return .raised
            case "above": return .above
            default: throw reply.unexpected
            }
        }
    }
}
