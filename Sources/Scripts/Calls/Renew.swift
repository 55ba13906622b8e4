// Made by `make scripts` from the header of lua/renew.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Renews the leases of a runner's bots in one partition, and tells what is wanted of each. A lease that has run out is
    /// not renewed, even if nobody has noticed yet: the bot's supervisor has ended it by then. But where none may be said to
    /// have run out (a new primary, a clock that leapt) one that nobody has ended is. docs/architecture.md, "Leases".
    public struct Renew: ScriptCall {
        public static let script = load("renew", PackageResources.renew_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes("renewed")
        public let keys: [String]
        public let arguments: [String]

        public init(
            leasesKey: String, primaryKey: String, botKeys: [String], runner: String, leaseMilliseconds: Int,
            botIDs: [String]
        ) {
            keys = [leasesKey, primaryKey] + botKeys
            arguments = [runner, String(leaseMilliseconds)] + botIDs
        }

        public enum Reply: Equatable, Sendable {
            /// Some of them; for each bot {} if its lease is refused, else {desired ('run' or 'leave'), config_version, language or '', task or '', bot_name or '', whether the bot has been in the room: 1 or 0}.
            case renewed(bots: [Value])
            /// The leases of all of them.
            case refused
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "renewed": return .renewed(bots: try reply.array(1))
            case "refused": return .refused
            default: throw reply.unexpected
            }
        }
    }
}
