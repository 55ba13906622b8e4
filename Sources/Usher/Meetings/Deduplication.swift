import Log
import Redis

/// A client's deduplication key: no second meeting is made with it while the one that has it has not ended. (An
/// idempotency key is another thing: with that a request that comes again gets the first answer.)
struct Deduplication {
    /// How long a key is kept after it was used, or after the time of the plan that it was used for, ms: longer than any bot
    /// stays.
    static let lifeMilliseconds = 7 * 86_400_000
    /// Of a plan without a time: as far ahead as one may be.
    private static let longestMilliseconds = 366 * 86_400_000

    let key: String
    /// SHA-256 of what the client calls it. The meeting's record has it too, so that the key is found by it.
    let digest: String
    /// Of a meeting's record.
    static let field = "deduplication"
    /// The meeting that was made with it last; nil if none is known.
    let owner: String?
    /// Whether that has not ended. What has ended, or was missed, does not take it again.
    let isTaken: Bool

    var fields: [String] { [Self.field, digest] }

    /// How long that of a planned meeting is kept, ms.
    /// - Parameter time: its own, if it has one.
    static func life(ofPlanAt time: Int?) -> Int {
        guard let time else { return longestMilliseconds }
        return lifeMilliseconds.addingClamped(max(0, time.subtractingClamped(WallClock.milliseconds)))
    }
}

extension Meetings {
    /// Who has a key; the script finds whether that has changed. Nil without one.
    func deduplication(by text: String?, in keys: WorkspaceKeys) async throws(RedisError) -> Deduplication? {
        guard let text else { return nil }
        let digest = Digest.sha256(text)
        let key = keys.deduplication(digest)
        guard let owner = try await session.send(Command("GET", key)).optionalString() else {
            return Deduplication(key: key, digest: digest, owner: nil, isTaken: false)
        }
        let meeting = try await session.send(
            Command("HMGET", keys.partition.meeting(owner), "status", "bot_status", "missed_at")
        ).arrayOrThrow().map(\.string)
        let hasEnded = ["completed", "failed"].contains(meeting[1]) || meeting[1] == nil && meeting[2] != nil
        return Deduplication(key: key, digest: digest, owner: owner, isTaken: meeting[0] != nil && !hasEnded)
    }
}
