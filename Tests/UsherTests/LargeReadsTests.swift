import EventLoop
import Redis
import RedisTestSupport
import TestTurns
import Testing

@testable import Usher

/// Who reads next where several read much.
@Suite(.takesTurns) struct LargeReadsTests {
    /// Only on the loop's thread.
    private final class Course: @unchecked Sendable {
        var order: [String] = []
        var atOnce = 0
        var most = 0
    }

    /// One at a time, and workspaces in turn, however many of one wait.
    @Test func workspacesTakeTurns() async throws {
        try await World.make { world in
            let loop = world.client.loop
            let reads = LargeReads(loop: loop)
            let course = Course()
            let holder = Task(executorPreference: loop) {
                try await reads.turn(of: "a") { () throws(RedisError) in
                    let others = ["a", "a", "a", "b", "b", "c"].map { name in
                        Task(executorPreference: loop) {
                            try await reads.turn(of: name) { () throws(RedisError) in
                                course.order.append(name)
                                course.atOnce += 1
                                course.most = max(course.most, course.atOnce)
                                await loop.nextTurn()
                                course.atOnce -= 1
                            }
                        }
                    }
                    // All of them have come by then.
                    await loop.nextTurn()
                    await loop.nextTurn()
                    return others
                }
            }
            for other in try await holder.value { try await other.value }
            #expect(course.most == 1)
            #expect(course.order == ["a", "b", "c", "a", "b", "a"])
        }
    }

    /// What fails gives its turn to the next, and one that is free is there at once.
    @Test func aFailurePassesTheTurnOn() async throws {
        try await World.make { world in
            let reads = LargeReads(loop: world.client.loop)
            let work = Task(executorPreference: world.client.loop) {
                var failures = 0
                for _ in 1...3 {
                    do {
                        try await reads.turn(of: "a") { () throws(RedisError) in throw .unexpectedReply("x") }
                    } catch {
                        failures += 1
                    }
                }
                return try await reads.turn(of: "a") { () throws(RedisError) in failures }
            }
            let failures = try await work.value
            #expect(failures == 3)
        }
    }
}
