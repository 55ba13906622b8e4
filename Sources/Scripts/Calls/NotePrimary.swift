// Made by `make scripts` from the header of lua/note_primary.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Notes since when this very server answers for a partition, as soon as anyone sees it, and tells how full it is; notes
    /// what its clock shows, and tells by how much it was set back since. Repeating it changes nothing.
    public struct NotePrimary: ScriptCall {
        public static let script = load("note_primary", PackageResources.note_primary_lua)
        public let keys: [String]
        public let arguments: [String]

        public init(primaryKey: String, undoneMilliseconds: Int, leaseMilliseconds: Int) {
            keys = [primaryKey]
            arguments = [String(undoneMilliseconds), String(leaseMilliseconds)]
        }

        /// Since when in ms, the bytes that count against its limit, the limit or 0 for none, and by how much the clock was set back in ms, if nobody has put that right.
        public static func read(_ reply: ReplyParts) throws(RedisError) -> (since: Int, used: Int, limit: Int, back: Int) {
            (try reply.integer(0), try reply.integer(1), try reply.integer(2), try reply.integer(3))
        }
    }
}
