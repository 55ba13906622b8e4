import EventLoop
import Log
import Redis
import Usher

/// What a node or a runner says in its log about its Redis, once, when it has reached it: each thing that is not as it
/// should be. Nothing waits for it, and nothing fails by it.
struct StartExamination: Sendable {
    private static let timeoutMilliseconds = 10_000

    private let examination: RedisExamination

    /// Starts it.
    /// - Parameter isLoggedIn: waits for the first login of the connection for work; false if there is none any more.
    init(
        _ settings: Settings, _ redis: RedisURL, loop: EventLoop, logger: Logger,
        after isLoggedIn: @escaping @Sendable () async -> Bool
    ) {
        let examination = RedisExamination(
            settings, redis, loop: loop, timeoutMilliseconds: Self.timeoutMilliseconds)
        self.examination = examination
        Task(executorPreference: loop) {
            guard await isLoggedIn() else { return }
            do throws(RedisExamination.Failure) {
                Self.log(try await examination.findings(), logger)
            } catch {
                logger.info("Redis was not looked at", ["reason": error.finding.found])
            }
        }
    }

    private static func log(_ findings: [Finding], _ logger: Logger) {
        for finding in findings where finding.level > .ok {
            logger.warning(
                "Redis is not set up as it should be",
                [
                    "verdict": finding.level.word, "subject": finding.subject, "found": finding.found,
                    "advice": finding.advice ?? "",
                ])
        }
        logger.debug("Redis was looked at", ["sum": Finding.sum(of: findings)])
    }

    /// Ends it, on the loop's thread.
    func stop() {
        examination.stop()
    }
}
