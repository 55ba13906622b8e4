import EventLoop
import Log
import Redis

/// What a node or a runner says in its log about its Redis, once, when it has reached it: each thing that is not as it
/// should be. Nothing waits for it, and nothing fails by it.
public struct StartExamination: Sendable {
    private static let timeoutMilliseconds = 10_000

    private let examination: RedisExamination
    private let logger: Logger

    public init(_ patient: RedisExamination.Patient, loop: EventLoop, logger: Logger) {
        examination = RedisExamination(patient, loop: loop, timeoutMilliseconds: Self.timeoutMilliseconds)
        self.logger = logger
    }

    /// Looks, once, on the loop's thread.
    public func run() async {
        do throws(RedisExamination.Failure) {
            log(try await examination.findings())
        } catch {
            logger.info("Redis was not looked at", ["reason": error.finding.found])
        }
    }

    private func log(_ findings: [Finding]) {
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
    public func stop() {
        examination.stop()
    }
}
