import Foundation
import Redis
import RedisTestSupport

/// What a key holds.
enum Stored: Equatable, CustomStringConvertible {
    case string(String)
    case hash([String: String])
    /// member -> score
    case sortedSet([String: String])
    /// The fields of each entry, with its id under `<id>`.
    case stream([[String: String]])

    var description: String {
        switch self {
        case .string(let text): "\"\(text)\""
        case .hash(let fields): "hash \(fields.sorted { $0.key < $1.key })"
        case .sortedSet(let members): "zset \(members.sorted { $0.key < $1.key })"
        case .stream(let entries): "stream \(entries.map { $0.sorted { $0.key < $1.key } })"
        }
    }

    var string: String? { if case .string(let text) = self { text } else { nil } }
    var hash: [String: String]? { if case .hash(let fields) = self { fields } else { nil } }
    var sortedSet: [String: String]? { if case .sortedSet(let members) = self { members } else { nil } }
    var stream: [[String: String]]? { if case .stream(let entries) = self { entries } else { nil } }
}

/// Every key of a database, raw.
struct Snapshot {
    private(set) var stored: [String: Stored] = [:]
    /// Milliseconds that keys have to live, of those that do not live for ever.
    private(set) var timeToLive: [String: Int] = [:]

    subscript(_ key: String) -> Stored? { stored[key] }

    /// The keys that are new, gone or hold something else, or whose life has got or lost an end; but for what the clock of
    /// a partition showed last, which every sweep notes.
    func changes(since before: Snapshot) -> Set<String> {
        func withoutClock(_ value: Stored?) -> Stored? {
            value?.hash.map { .hash($0.filter { $0.key != "seen" }) } ?? value
        }
        return Set(stored.keys).union(before.stored.keys).filter { key in
            withoutClock(stored[key]) != withoutClock(before.stored[key])
                || (timeToLive[key] == nil) != (before.timeToLive[key] == nil)
        }
    }

    static func take(_ client: Client) async throws -> Snapshot {
        var snapshot = Snapshot()
        for key in try await client.send("KEYS", "*").arrayOrThrow() {
            let key = try key.stringOrThrow()
            guard let stored = try await read(key, client) else { continue }
            snapshot.stored[key] = stored
            let timeToLive = try await client.send("PTTL", key).integerOrThrow()
            if timeToLive >= 0 { snapshot.timeToLive[key] = timeToLive }
        }
        return snapshot
    }

    private static func read(_ key: String, _ client: Client) async throws -> Stored? {
        switch try await client.send("TYPE", key).stringOrThrow() {
        case "string": return .string(try await client.send("GET", key).stringOrThrow())
        case "hash": return .hash(try await client.send("HGETALL", key).hash())
        case "zset": return .sortedSet(try await client.send("ZRANGE", key, "0", "-1", "WITHSCORES").hash())
        case "stream":
            return .stream(
                try await client.send("XRANGE", key, "-", "+").arrayOrThrow().map { entry in
                    let parts = try entry.arrayOrThrow()
                    return try parts[1].hash().merging(["<id>": parts[0].stringOrThrow()]) { $1 }
                })
        case "none": return nil
        case let type: throw TestServerError("the snapshot cannot read \(key) of type \(type)")
        }
    }
}
