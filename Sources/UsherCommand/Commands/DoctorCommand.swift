import EventLoop
import Log
import Processes
import Redis
import Usher

/// `usher doctor`: whether a Redis is set up right, one line for each thing that was looked at.
enum DoctorCommand {
    /// How long it looks, at most.
    private static let timeoutMilliseconds = 30_000

    /// - Returns: 0 if Usher can keep its promises there, 1 if not, or if there is no Redis.
    static func run(_ settings: Settings) -> Int32 {
        do {
            let redis = try RedisURL(settings.redisURL)
            Terminal.say("Redis at \(redis.redacted)")
            var findings = try findings(settings, redis)
            // What else cannot be read has been said.
            let more = try? Records.use(settings, redis: redis) { session in
                let (queue, problem) = (
                    try await session.installation.readQueue(), try await session.installation.archiveProblem()
                )
                return [
                    Doctor.webhooks(queue), Doctor.operatorEndpoint(queue), Doctor.archive(problem: problem),
                ].compactMap(\.self)
            }
            findings += more ?? []
            for finding in findings { Terminal.say(finding.line) }
            Terminal.say(Finding.sum(of: findings))
            return findings.contains { $0.level == .fail } ? 1 : 0
        } catch {
            Terminal.complain("\(error)")
            return 1
        }
    }

    private static func findings(_ settings: Settings, _ redis: RedisURL) throws -> [Finding] {
        let loop = try EventLoop(name: "command")
        try loop.start()
        defer {
            loop.stop()
            loop.join()
        }
        return try MainThread.run(on: loop) {
            let patient = RedisExamination(
                settings.patient(redis), loop: loop, timeoutMilliseconds: timeoutMilliseconds)
            do throws(RedisExamination.Failure) {
                return try await patient.findings()
            } catch {
                return [error.finding]
            }
        }
    }
}
