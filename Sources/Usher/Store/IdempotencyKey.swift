import Redis

/// What tells a request from all others of its caller, so that it may be sent again and is done once: the header field
/// `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header, section 2). It counts for one caller, one kind of
/// request, and one meeting or room, for as long as a dispatch counts as in flight.
public struct IdempotencyKey: Sendable {
    public static let fieldName = "Idempotency-Key"
    public static let maximumBytes = 255

    let text: String

    /// - Parameter text: as it was sent, in quotation marks or not.
    /// - Returns: nil unless it has 1...255 bytes, all of them visible ASCII.
    public init?(_ text: String) {
        let visible = UInt8(ascii: "!")...UInt8(ascii: "~")
        guard (1...Self.maximumBytes).contains(text.utf8.count), text.utf8.allSatisfy({ visible.contains($0) }) else {
            return nil
        }
        self.text = text
    }
}

/// What can be asked for with an idempotency key.
enum RepeatableRequest: String {
    case reinvite, bot, stop, meeting
}

extension Session {
    /// Sees that what an earlier request did will stay, before it is answered once more: the first one may have failed
    /// while it waited for replicas. Only a write makes the connection wait for what was written before it, so the
    /// note's life begins anew.
    /// - Throws: `RedisError.notReplicated` if replicas are waited for, and too few of them have it.
    func confirmEarlierRequest(_ key: String) async throws(RedisError) {
        _ = try await change([Command("PEXPIRE", key, String(configuration.inFlightTimeToLiveMilliseconds))])
    }
}
