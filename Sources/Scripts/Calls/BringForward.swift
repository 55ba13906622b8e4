// Made by `make scripts` from the header of lua/bring_forward.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Brings forward what waits to be told to a webhook by as much as the clock was set back, and no further than to now.
    /// What may wait for no more than the end of a lease stays. Repeating it lets it be told earlier still. It looks at
    /// some at once, the earliest first: they come before all that is looked at next.
    public struct BringForward: ScriptCall {
        public static let script = load("bring_forward", PackageResources.bring_forward_lua)
        public let keys: [String]
        public let arguments: [String]

        public init(
            pendingKey: String, dueKey: String, member: String, backMilliseconds: Int, leaseMilliseconds: Int,
            fromMilliseconds: Int, most: Int
        ) {
            keys = [pendingKey, dueKey]
            arguments = [
                member, String(backMilliseconds), String(leaseMilliseconds), String(fromMilliseconds), String(most)
            ]
        }

        /// From when on what is due is still to be looked at, ms; 0: that was all.
        public static func read(_ reply: ReplyParts) throws(RedisError) -> Int {
            try reply.whole.integerOrThrow()
        }
    }
}
