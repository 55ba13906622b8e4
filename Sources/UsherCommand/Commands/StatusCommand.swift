import API
import Redis
import Usher

/// `usher status`: what runs, waits and is held, at a glance, straight from the records.
enum StatusCommand {
    /// - Returns: 0, or 1 if Redis does not answer or does not let it look.
    static func run(_ settings: Settings, asJSON: Bool) -> Int32 {
        do {
            let redis = try RedisURL(settings.redisURL)
            let overview = try Records.use(settings, redis: redis) { session in
                try await session.installation.overview()
            }
            if asJSON {
                Terminal.say(try PrettyJSON.text(OverviewObject(overview)))
            } else {
                Terminal.say((["Redis at \(redis.redacted)"] + OverviewText.lines(overview)).joined(separator: "\n"))
            }
            return 0
        } catch {
            Terminal.complain("\(error)")
            return 1
        }
    }
}
