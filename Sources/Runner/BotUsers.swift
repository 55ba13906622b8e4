import EventLoop
import Log
import Redis
import Usher

/// The users of Redis that a runner makes, one for each of its bots: with it a bot hears the commands that are for its own
/// meeting, tells what is said there, and writes to the segment stream if that is open. It reads nothing, and reaches no
/// other meeting's channels.
///
/// Users are no data: a replica has none of them when it becomes the primary, and neither has a Redis that starts again.
/// So they are made again now and then for as long as their bots run.
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
    /// The most leftovers that one look removes.
    private static let removedAtOnce = 100
    /// How long that may take, after all that was asked of each of them.
    private static let removalMilliseconds = 2_000

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

    /// Makes the users of bots that run once more where some primary has them no longer.
    func restore(deadline: MonotonicTime) async {
        guard !commands.isEmpty, let users = try? await listed(deadline: deadline) else { return }
        let missing = commands.filter { id, _ in users.contains { !$0.contains(Self.prefix + id) } }
        if missing.isEmpty { return }
        if (try? await client.sendToEach(Array(missing.values), deadline: deadline)) != nil {
            logger.warning("Made users of bots again that Redis no longer had", ["users": String(missing.count)])
        }
        // Some may have ended meanwhile.
        await remove(users: missing.keys.filter { commands[$0] == nil }.map { Self.prefix + $0 }, deadline: deadline)
    }

    /// Removes the users that runners which are gone have left behind.
    func removeLeftovers(deadline: MonotonicTime) async {
        guard mode != .off, !isRefused, let users = try? await listed(deadline: deadline) else { return }
        let bots = store.session(until: deadline).bots
        var leftovers: [String] = []
        // In any order, so that each has its turn in the end, however many bots run.
        for user in Set(users.joined()).shuffled() where leftovers.count < Self.removedAtOnce {
            let id = String(user.dropFirst(Self.prefix.count))
            guard commands[id] == nil,
                let isOver = try? await bots.isOver(bot: id, sinceMilliseconds: Self.leftoverMilliseconds), isOver
            else { continue }
            leftovers.append(user)
        }
        if leftovers.isEmpty { return }
        await remove(users: leftovers, deadline: .now().advanced(byMilliseconds: Self.removalMilliseconds))
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
