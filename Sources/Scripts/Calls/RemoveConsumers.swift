// Made by `make scripts` from the header of lua/remove_consumers.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Removes consumers of a stream's group that have read nothing for a while and have nothing pending: those of runners,
    /// or nodes, that are gone. One that lives becomes a consumer again by its next read. Looked at and removed in one step,
    /// since a consumer's pending entries would go with it.
    public struct RemoveConsumers: ScriptCall {
        public static let script = load("remove_consumers", PackageResources.remove_consumers_lua)
        public let keys: [String]
        public let arguments: [String]

        public init(streamKey: String, group: String, leastIdleMilliseconds: Int) {
            keys = [streamKey]
            arguments = [group, String(leastIdleMilliseconds)]
        }

        /// How many were removed, 0 if there is no such stream or group.
        public static func read(_ reply: ReplyParts) throws(RedisError) -> Int {
            try reply.whole.integerOrThrow()
        }
    }
}
