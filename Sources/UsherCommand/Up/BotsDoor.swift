import Redis
import Usher

/// How bots that are no simulated ones reach the private Redis of `usher up`: by TCP on this machine, since that is all
/// that their clients know. Every user of the machine can connect there, so all who may have a password: bots a user's of
/// their own, and Usher's processes the one of the default user, whom Redis cannot tell by the way that a connection took.
final class BotsDoor {
    private static let host = "127.0.0.1"
    private static let user = "usher-bot"

    let port: Int
    /// The default user's.
    let password = randomHex()
    private let botPassword = randomHex()
    /// Held so that nobody is given the port before Redis listens there, and let go of then.
    private let reservation: PortReservation

    /// - Throws: `UpFailure` if the system grants no port.
    init() throws(UpFailure) {
        reservation = try PortReservation(host: Self.host, port: 0)
        port = reservation.port
    }

    /// Options of `redis-server`, whose command line every user can read.
    var options: [String] { ["--port", String(port), "--bind", Self.host] }
    /// The rest of its configuration.
    var secretOptions: String { "requirepass \(password)\n" }
    /// What bots are told.
    var url: String { "redis://\(Self.user):\(botPassword)@\(Self.host):\(port)/0" }

    /// Makes the bots' user, once Redis answers.
    func open(_ settings: Settings) throws(UpFailure) {
        let botPassword = botPassword
        do {
            try Records.use(settings, redis: RedisURL(settings.redisURL)) { session in
                try await session.bots.makeUser(Self.user, password: botPassword)
            }
        } catch {
            throw UpFailure(
                "The private Redis has no user for bots, which takes Redis 7 (\(error)); name another Redis for them with "
                    + "\(Setting[\.botRedisURL].flag).")
        }
    }
}

/// 128 random bits from the kernel, as 32 hexadecimal digits.
func randomHex() -> String {
    var generator = SystemRandomNumberGenerator()
    return (0..<32).map { _ in String(Int.random(in: 0..<16, using: &generator), radix: 16) }.joined()
}
