import EventLoop
import Log
import Redis
import RedisTestSupport
import TestTurns
import Testing

@testable import Runner
@testable import Usher

@Suite(.takesTurns) struct BotUsersTests {
    private static func users(_ fixture: RunnerFixture) -> BotUsers {
        BotUsers(
            client: fixture.client, store: fixture.store, mode: .on, writesToStream: true,
            logger: Logger(minimum: .error))
    }

    private static func names(_ fixture: RunnerFixture) async throws -> [String] {
        try await fixture.client.send("ACL", "USERS").array?.compactMap(\.string)
            .filter { $0.hasPrefix(BotUsers.prefix) } ?? []
    }

    /// All runners ask it, and all of them would of every bot.
    @Test func aLookAsksOfSomeOfManyUsers() async throws {
        try await RunnerFixture.use { fixture in
            let partition = Partition.all[0]
            let running = fixture.store.botIdentifiers.next(in: partition)
            _ = try await fixture.client.send("HSET", partition.bot(running), "meeting_id", "m")
            let gone = (0..<BotUsers.lookedAtAtOnce + 50).map { _ in fixture.store.botIdentifiers.next(in: partition) }
            for id in gone + [running] { _ = try await fixture.client.send("ACL", "SETUSER", BotUsers.prefix + id) }
            let users = Self.users(fixture)
            await users.removeLeftovers(deadline: Client.soon)
            // The one that runs may have been looked at.
            #expect([51, 52].contains(try await Self.names(fixture).count))
            await users.removeLeftovers(deadline: Client.soon)
            #expect(try await Self.names(fixture) == [BotUsers.prefix + running])
        }
    }

    /// A server that was started anew, or has become the primary, has none of them.
    @Test func usersAreLookedForOnceTheConnectionIsAnotherOne() async throws {
        try await RunnerFixture.use { fixture in
            let users = Self.users(fixture)
            let login = try #require(try await users.make(bot: "b", meeting: 1, deadline: Client.soon))
            await users.restore(deadline: Client.soon)
            func isThere() async throws -> Bool { try await Self.names(fixture) == [login.user] }
            _ = try await fixture.client.send("ACL", "DELUSER", login.user)
            // Nothing speaks for it, and so nobody asks.
            await users.restore(deadline: Client.soon)
            #expect(try await !isThere())
            try fixture.server.ask("CLIENT KILL TYPE normal")
            try await waitFor("a new connection") { fixture.client.metrics.reconnections == 1 }
            await users.restore(deadline: Client.soon)
            #expect(try await isThere())
            // One that was deleted by hand.
            await users.restore(deadline: Client.soon)
            _ = try await fixture.client.send("ACL", "DELUSER", login.user)
            await users.restore(deadline: Client.soon, now: .now().advanced(byMilliseconds: 60_000))
            #expect(try await isThere())
        }
    }

    /// Whatever credentials an address has, a bot's own stand in their place.
    @Test(arguments: [
        ("redis://h", "redis://U:P@h"), ("redis://h:1/2", "redis://U:P@h:1/2"),
        ("redis://:pw@h:1/2", "redis://U:P@h:1/2"), ("redis://a:b@h", "redis://U:P@h"),
        ("redis://a:p%40/w@h/0", "redis://U:P@h/0"), ("rediss://a:b@h", "rediss://U:P@h"),
        ("redis+unix:///run/r.sock", "redis+unix://U:P@/run/r.sock"),
        ("redis+unix://a:b@/run/r@2.sock?db=1", "redis+unix://U:P@/run/r@2.sock?db=1"),
        (
            "redis+sentinel://a:b@h1,h2:2/s?sentinel_user=x&sentinel_password=y@z",
            "redis+sentinel://U:P@h1,h2:2/s?sentinel_user=x&sentinel_password=y@z"
        ),
        ("redis+cluster://h1:1,h2:2", "redis+cluster://U:P@h1:1,h2:2"), ("nonsense", "nonsense"),
    ])
    func anAddressHasTheBotsOwnCredentials(_ text: String, _ wanted: String) {
        #expect(BotUsers.url(text, as: BotUsers.Login(user: "U", password: "P")) == wanted)
    }
}
