import EventLoop
import Log
import Redis
import Usher

/// The users of Redis that a runner makes, one for each of its bots: with it a bot hears the commands that are for its own
/// meeting, tells what is said there, and writes to the segment stream if that is open. It reads nothing, and reaches no
/// other meeting's channels.
///
/// Users are no data: a replica has none of them when it becomes the primary, and neither has a Redis that starts again.
/// So they are made again, for as long as their bots run, where a connection or a primary is another one than before.
///
/// `@unchecked Sendable`: belongs to the thread of the runner's loop.
public final class BotUsers: @unchecked Sendable {
    /// Whether bots get users of their own.
    public enum Mode: String, CaseIterable, Sendable {
        /// Where the runner's user of Redis may make some.
        case auto
        case on, off
    }

    struct Login: Equatable, Sendable {
        let user: String
        let password: String
    }

    static let prefix = "usher-bot-"
    /// How long after a bot's end its user is anybody's to remove.
    private static let leftoverMilliseconds = 60_000
    /// Of how many users at most one look asks whether they are leftovers: other runners look too, at as many.
    static let lookedAtAtOnce = 200
    /// How long their removal may take, after all that was asked of them.
    private static let removalMilliseconds = 2_000
    /// How often it is asked which users there are though all seems to be as it was.
    private static let restoringMilliseconds = 60_000

    private let client: Client
    private let store: Store
    private let mode: Mode
    private let writesToStream: Bool
    private let logger: Logger
    /// By the bot's id: what makes its user.
    private var commands: [String: Command] = [:]
    /// How many are being removed.
    private var removing = 0
    /// Whether Redis has let this runner list and remove users.
    private var isProven = false
    /// Whether Redis has refused to make users, for good.
    private var isRefused = false
    /// What was reached when every primary had the users of all bots, and when that is asked again in any case.
    private var reached: Reached?
    private var nextRestoring = MonotonicTime(nanoseconds: 0)

    /// Another one may be of a server that has none of the users.
    private struct Reached: Equatable {
        let reconnections: Int
        let primaries: Set<NodeAddress>
    }

    init(client: Client, store: Store, mode: Mode, writesToStream: Bool, logger: Logger) {
        self.client = client
        self.store = store
        self.mode = mode
        self.writesToStream = writesToStream
        self.logger = logger
    }

    /// Makes the user of a bot. Safe to repeat: the last password counts.
    /// - Parameter number: of the bot's meeting.
    /// - Returns: nil if bots have no users of their own here.
    /// - Throws: `RedisError` if it cannot be made now, or, where users must be made, at all.
    func make(bot id: String, meeting number: Int, deadline: MonotonicTime) async throws(RedisError) -> Login? {
        guard mode != .off, !isRefused else { return nil }
        let login = Login(user: Self.prefix + id, password: Identifier.secret())
        let command = BotRights.command(
            user: login.user, password: login.password, meeting: number, writesToStream: writesToStream)
        do throws(RedisError) {
            if !isProven {
                // Nobody who may not remove them is to make any.
                let trial = [Command("ACL", "USERS"), Command("ACL", "DELUSER", login.user)]
                _ = try await client.sendToEach(trial, deadline: deadline)
                isProven = true
            }
            _ = try await client.sendToEach([command], deadline: deadline)
        } catch .refused(let text) where mode == .auto && Self.isForGood(text) {
            isRefused = true
            logger.warning(
                "Bots have no users of Redis of their own, since this runner may make none; see "
                    + "docs/security.md, \"What a bot may do\"", ["reason": text])
            return nil
        }
        commands[id] = command
        return login
    }

    /// Removes the user of a bot that has ended, and ends its connections. What Redis does not hear of here is a leftover.
    func remove(bot id: String, deadline: MonotonicTime) async {
        guard commands.removeValue(forKey: id) != nil else { return }
        removing += 1
        await remove(users: [Self.prefix + id], deadline: deadline)
        removing -= 1
    }

    /// Waits for the removals that are under way.
    func settle(deadline: MonotonicTime) async {
        while removing > 0, MonotonicTime.now() < deadline { await client.loop.wait(milliseconds: 5) }
    }

    /// Makes the users of bots that run once more where some primary may have them no longer.
    func restore(deadline: MonotonicTime, now: MonotonicTime = .now()) async {
        let reaching = Reached(reconnections: client.metrics.reconnections, primaries: Set(client.primaries))
        guard !commands.isEmpty, reaching != reached || nextRestoring <= now,
            let users = try? await listed(deadline: deadline)
        else { return }
        let missing = commands.filter { id, _ in users.contains { !$0.contains(Self.prefix + id) } }
        if missing.isEmpty {
            // Primaries that could not be reached are left out of the answers.
            guard users.count >= reaching.primaries.count else { return }
            reached = reaching
            nextRestoring = now.advanced(byMilliseconds: Self.restoringMilliseconds)
            return
        }
        if (try? await client.sendToEach(Array(missing.values), deadline: deadline)) != nil {
            logger.warning("Made users of bots again that Redis no longer had", ["users": String(missing.count)])
        }
        // Some may have ended meanwhile.
        await remove(users: missing.keys.filter { commands[$0] == nil }.map { Self.prefix + $0 }, deadline: deadline)
    }

    /// Removes the users that runners which are gone have left behind.
    func removeLeftovers(deadline: MonotonicTime) async {
        guard mode != .off, !isRefused, let users = try? await listed(deadline: deadline) else { return }
        let others = Set(users.joined()).map { String($0.dropFirst(Self.prefix.count)) }.filter { commands[$0] == nil }
        // At random, so that each has its turn in the end, however many bots run.
        let some = Array(others.shuffled().prefix(Self.lookedAtAtOnce))
        let bots = store.session(until: deadline).bots
        guard let leftovers = try? await bots.over(among: some, sinceMilliseconds: Self.leftoverMilliseconds),
            !leftovers.isEmpty
        else { return }
        await remove(
            users: leftovers.map { Self.prefix + $0 },
            deadline: .now().advanced(byMilliseconds: Self.removalMilliseconds))
        logger.info("Removed users of bots that are gone", ["users": String(leftovers.count)])
    }

    private func remove(users: [String], deadline: MonotonicTime) async {
        if users.isEmpty { return }
        _ = try? await client.sendToEach([Command(words: ["ACL", "DELUSER"] + users)], deadline: deadline)
    }

    /// The users of bots that each primary has.
    private func listed(deadline: MonotonicTime) async throws(RedisError) -> [Set<String>] {
        try await client.sendToEach([Command("ACL", "USERS")], deadline: deadline).map { replies in
            Set((replies[0].array ?? []).compactMap(\.string).filter { $0.hasPrefix(Self.prefix) })
        }
    }

    /// Whether waiting mends a refusal: not one of rights, nor that of a Redis that has no such command.
    private static func isForGood(_ text: String) -> Bool { text.hasPrefix("NOPERM") || text.hasPrefix("ERR ") }

    /// The address of a Redis with other credentials, whatever else is in it.
    static func url(_ text: String, as login: Login) -> String {
        guard let scheme = text.firstRange(of: "://") else { return text }
        let rest = text[scheme.upperBound...]
        // A socket's path may have an @ of its own; so may what follows a question mark.
        let isSocket = text.hasPrefix("redis+unix:")
        let credentials = isSocket ? rest.prefix { $0 != "/" } : rest.prefix { $0 != "?" }
        let address = credentials.lastIndex(of: "@").map { rest[rest.index(after: $0)...] } ?? rest
        return "\(text[..<scheme.upperBound])\(login.user):\(login.password)@\(address)"
    }
}
