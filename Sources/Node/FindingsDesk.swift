import API
import EventLoop
import Log
import Redis
import Usher

/// The doctor of a node, on its first loop: it looks once at a time, however many ask, and what it finds counts for a
/// while, as it asks Redis much.
///
/// `@unchecked Sendable`: belongs to the loop's thread, which every entry checks.
final class FindingsDesk: @unchecked Sendable {
    private static let validMilliseconds = 15_000
    private static let timeoutMilliseconds = 10_000

    private let patient: RedisExamination.Patient
    private let redisTimeoutMilliseconds: Int
    private let store: Store
    private var last: (time: MonotonicTime, findings: NodeInsight.Findings)?
    private var examination: RedisExamination?
    private let waiters: Waiters<NodeInsight.Findings>

    /// - Parameter store: of the loop.
    init(_ configuration: NodeConfiguration, store: Store) {
        patient = configuration.patient
        redisTimeoutMilliseconds = configuration.store.redisTimeoutMilliseconds
        self.store = store
        waiters = Waiters(loop: store.client.loop)
    }

    /// From any loop.
    /// - Returns: nil if there is nothing within the time.
    func findings(within milliseconds: Int) async -> NodeInsight.Findings? {
        await Task(executorPreference: store.client.loop) { [self] in await read(within: milliseconds) }.value
    }

    private func read(within milliseconds: Int) async -> NodeInsight.Findings? {
        let loop = store.client.loop
        loop.preconditionCurrent()
        if let last, loop.now.milliseconds(since: last.time) < Self.validMilliseconds { return last.findings }
        if examination == nil {
            let examination = RedisExamination(patient, loop: loop, timeoutMilliseconds: Self.timeoutMilliseconds)
            self.examination = examination
            Task(executorPreference: loop) { [self] in await look(examination) }
        }
        return await waiters.wait(milliseconds: milliseconds)
    }

    private func look(_ examination: RedisExamination) async {
        var findings: [Finding]
        do throws(RedisExamination.Failure) {
            findings = try await examination.findings()
        } catch {
            findings = [error.finding]
        }
        // What else cannot be read has been said.
        let session = store.session(milliseconds: redisTimeoutMilliseconds)
        if let queue = try? await session.installation.readQueue() {
            findings += [Doctor.webhooks(queue), Doctor.operatorEndpoint(queue)].compactMap(\.self)
        }
        let problem = try? await session.installation.archiveProblem()
        if let finding = Doctor.archive(problem: problem) { findings.append(finding) }
        self.examination = nil
        let found = NodeInsight.Findings(findings, at: WallClock.milliseconds)
        last = (store.client.loop.now, found)
        waiters.tell(found)
    }

    /// Ends it at whatever it is, on the loop's thread.
    func stop() {
        examination?.stop()
    }
}
