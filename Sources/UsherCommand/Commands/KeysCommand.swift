import Redis
import Usher

/// `usher keys`: the Redis keys of a workspace or a meeting, ready to paste into redis-cli.
enum KeysCommand {
    /// - Returns: 0 if there is such a record, else 1.
    static func run(_ settings: Settings, id: String) -> Int32 {
        do {
            let found = try Records.use(settings, redis: RedisURL(settings.redisURL)) { session in
                try await session.installation.keys(ofRecord: id)
            }
            guard let found else {
                Terminal.complain("there is no workspace or meeting with the id \(id).")
                return 1
            }
            for entry in found { Terminal.say(entry.command) }
            return 0
        } catch {
            Terminal.complain("\(error)")
            return 1
        }
    }
}
