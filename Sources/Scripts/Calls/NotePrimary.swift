// Made by `make scripts` from the header of lua/note_primary.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Notes since when this very server answers for a partition, as soon as anyone sees it, and tells how full it is.
    /// Repeating it changes nothing.
    public struct NotePrimary: ScriptCall {
        public static let script = load("note_primary", PackageResources.note_primary_lua)
        public let keys: [String]
        public let arguments: [String]

        public init(primaryKey: String) {
            keys = [primaryKey]
            arguments = []
        }

        /// Since when in ms, the bytes that count against its limit, and the limit or 0 for none.
        public static func read(_ reply: ReplyParts) throws(RedisError) -> (since: Int, used: Int, limit: Int) {
            (try reply.integer(0), try reply.integer(1), try reply.integer(2))
        }
    }
}
