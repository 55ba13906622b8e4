import Redis

/// What the wire needs of the Redis that bots use, and nothing else: they write segments, hear commands, and tell what is
/// said live. In words of Redis 7 (ACL SETUSER); docs/operations.md has the same for those who make the user by hand.
public enum BotRights {
    static let rules =
        "-@all +ping +hello +auth +quit +client|setname (+xadd %W~transcription_segments) (+subscribe +unsubscribe "
        + "resetchannels &bot_commands:meeting:*) (+publish resetchannels &tc:meeting:*:mutable)"

    /// The user's whole line, as `redis-cli` takes it.
    public static func line(user: String, password: String) -> String {
        "ACL SETUSER \(user) reset on >\(password) \(rules)"
    }

    /// Makes the user of one bot, which has the channels of its own meeting alone. In words of Redis 6.2 too, to which
    /// QUIT is no command that has rights. So it may publish its own commands as well, and hear what it tells live.
    /// - Parameter number: of its meeting.
    public static func command(user: String, password: String, meeting number: Int, writesToStream: Bool) -> Command {
        let stream = writesToStream ? " ~\(WireNames.segmentStream) +xadd" : ""
        let rules =
            "resetchannels &\(WireNames.commandChannel(number)) &\(WireNames.liveChannel(number)) -@all +ping +hello +auth "
            + "+client|setname +subscribe +unsubscribe +publish\(stream)"
        return Command(
            words: ["ACL", "SETUSER", user, "reset", "on", "#\(Digest.sha256(password))"]
                + rules.split(separator: " ").map(String.init))
    }
}

extension Bots {
    /// Makes a user for bots, or gives the one of this name a new password.
    /// - Parameter password: without spaces.
    /// - Throws: `RedisError.refused` by a Redis older than 7, or for want of the right to.
    public func makeUser(_ user: String, password: String) async throws(RedisError) {
        let words = BotRights.line(user: user, password: password).split(separator: " ").map(String.init)
        _ = try await session.send(Command(words: words)).stringOrThrow()
    }
}
