// Made by `make scripts` from the header of lua/bound_lease.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Brings a lease that ends later than any could, since the clock was set back, to the latest end that it can have: the
    /// supervisor, which counts by a clock that nobody sets, has ended the bot by then unless the lease is renewed.
    /// Repeating it changes nothing.
    public struct BoundLease: ScriptCall {
        public static let script = load("bound_lease", PackageResources.bound_lease_lua)
        public let keys: [String]
        public let arguments: [String]

        public init(leasesKey: String, botKey: String, botID: String, longestMilliseconds: Int) {
            keys = [leasesKey, botKey]
            arguments = [botID, String(longestMilliseconds)]
        }

        public enum Reply: Equatable, Sendable {
            /// Brought forward.
            case bounded
            /// It is as it should be, or there is none.
            case unchanged
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "bounded": return .bounded
            case "unchanged": return .unchanged
            default: throw reply.unexpected
            }
        }
    }
}
