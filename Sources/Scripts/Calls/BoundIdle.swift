// Made by `make scripts` from the header of lua/bound_idle.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Has entries that a group has given out later than now, since the clock was set back, count as given out now: nobody
    /// could take them over until the clock has caught up. What was given out this very moment looks the same, and stays.
    public struct BoundIdle: ScriptCall {
        public static let script = load("bound_idle", PackageResources.bound_idle_lua)
        public let keys: [String]
        public let arguments: [String]

        public init(streamKey: String, group: String, maximum: Int) {
            keys = [streamKey]
            arguments = [group, String(maximum)]
        }

        /// How many, 0 if there is no such stream or group.
        public static func read(_ reply: ReplyParts) throws(RedisError) -> Int {
            try reply.whole.integerOrThrow()
        }
    }
}
