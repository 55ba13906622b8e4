import EventLoop
import Redis

/// Tickets stand for a key once, and soon, where that would stay in an address: a browser's history, a proxy's log.
///
/// A ticket is `ticket_<workspace>_<id of the key>_<256 random bits>`. Redis keeps its hash, as that of keys, in one zset of
/// the workspace, which ends by itself.
extension Callers {
    /// For how long a ticket is good, in ms.
    public static let ticketMilliseconds = 30_000
    /// How many tickets of a workspace may be good at once.
    public static let maximumTickets = 1_000
    /// Of a Cluster any server is asked for the time: by how much they may differ, in ms (docs/operations.md, "Sentinel,
    /// Cluster and replicas").
    private static let clockMilliseconds = 3_000
    private static let longestTicketMilliseconds = ticketMilliseconds + clockMilliseconds

    /// Makes a ticket for the caller's key.
    /// - Returns: nil if the workspace has as many as it may have.
    public func ticket(for caller: Caller) async throws(RedisError) -> String? {
        let ticket = "\(Ticket.prefix)_\(caller.workspaceID)_\(caller.keyID)_\(Identifier.hex())\(Identifier.hex())"
        let (key, member) = (WorkspaceKeys(workspace: caller.workspaceID).tickets, Digest.sha256(ticket))
        let now = try await session.time()
        let end = now.addingClamped(Self.ticketMilliseconds)
        // Counted with the new one among them, so that of several at once too many are refused rather than made.
        let replies = try await session.pipeline([
            Command("ZRANGEBYSCORE", key, "-inf", String(now)),
            // Of before the clock was set back.
            Command("ZRANGEBYSCORE", key, "(\(now.addingClamped(Self.longestTicketMilliseconds))", "+inf"),
            Command("ZADD", key, String(end), member), Command("ZCARD", key),
            Command("PEXPIRE", key, String(Self.ticketMilliseconds)),
        ])
        var gone = try (replies[0].arrayOrThrow() + replies[1].arrayOrThrow()).compactMap(\.string)
        let isFull = try replies[3].integerOrThrow() - gone.count > Self.maximumTickets
        if isFull { gone.append(member) }
        if !gone.isEmpty { _ = try await session.send(Command(words: ["ZREM", key] + gone)) }
        return isFull ? nil : ticket
    }

    /// The hash of the key that a ticket stands for, which is used up by this: of two who come with it, one gets in.
    /// - Parameter address: asked for where the request comes from.
    public func redeem(
        ticket text: String, from address: () -> IPAddress?
    ) async throws(RedisError) -> Recognition<String> {
        guard let ticket = Ticket(text) else { return .unknown }
        // As with a key: others behind the same address keep nobody out whose workspace is known here.
        if !session.store.keyOwners.hasSeen(workspace: ticket.workspaceID),
            let pause = address().flatMap(session.store.invalidRequests.pause)
        {
            return .notAsked(milliseconds: pause)
        }
        let keys = WorkspaceKeys(workspace: ticket.workspaceID)
        let (member, now) = (Digest.sha256(text), try await session.time())
        let replies = try await session.pipeline([
            Command("ZSCORE", keys.tickets, member), Command("ZREM", keys.tickets, member),
            Command("HGET", keys.apiKeys, ticket.keyID),
        ])
        // One that is good for longer than any was made before the clock was set back.
        guard replies[1] == .integer(1), let end = try replies[0].optionalString().flatMap({ Int($0) }),
            (1...Self.longestTicketMilliseconds).contains(end.subtractingClamped(now)),
            let hash = try replies[2].optionalString()
        else { return .unknown }
        return .found(hash)
    }
}

/// What a ticket tells of its key. That it is a ticket, its hash tells.
private struct Ticket {
    static let prefix = "ticket"
    private static let maximumBytes = 256

    let workspaceID: String
    let keyID: String

    /// - Returns: nil for a text that is none: its parts become keys and fields.
    init?(_ text: String) {
        guard text.utf8.count <= Self.maximumBytes else { return nil }
        let parts = text.split(separator: "_", omittingEmptySubsequences: false).map { String($0) }
        guard parts.count == 4, parts[0] == Self.prefix, Identifier.isUUID(parts[1]), Identifier.isHex(parts[2]) else {
            return nil
        }
        (workspaceID, keyID) = (parts[1], parts[2])
    }
}
