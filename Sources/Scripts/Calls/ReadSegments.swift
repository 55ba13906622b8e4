// Made by `make scripts` from the header of lua/read_segments.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Hands a node what bots wrote to the segment stream: what is new, or what it was handed before and has not
    /// acknowledged. Bots may write what they like, so this reads entry by entry and hands out no more than is bounded here.
    /// It notes which nodes have begun with an entry; one that has understood it takes the note away. An entry that others
    /// have begun with is handed out alone, so that no other is taken for the one that they ended over, and then no more.
    public struct ReadSegments: ScriptCall {
        public static let script = load("read_segments", PackageResources.read_segments_lua)
        public let keys: [String]
        public let arguments: [String]

        public init(
            streamKey: String, attemptsKey: String, group: String, node: String, after: String, maxEntries: Int,
            maxBytes: Int, maxPayloadBytes: Int, prefixBytes: Int, maxOthers: Int, keepMilliseconds: Int
        ) {
            keys = [streamKey, attemptsKey]
            arguments = [
                group, node, after, String(maxEntries), String(maxBytes), String(maxPayloadBytes), String(prefixBytes),
                String(maxOthers), String(keepMilliseconds)
            ]
        }

        /// For each entry one of {id, 'whole', payload, bytes}  to be taken in {id, 'long', prefix, bytes}    its payload has more bytes than it may {id, 'tried', prefix, bytes}   so many nodes have ended over it {id, 'empty'}                  it has no field named payload {id, 'gone'}                   it was removed while it was pending.
        public static func read(_ reply: ReplyParts) throws(RedisError) -> [Value] {
            try reply.whole.arrayOrThrow()
        }
    }
}
