import Redis
import RedisTestSupport
import TestTurns
import Testing

@testable import Usher

/// Redis takes nothing back when a command of a script fails, as on a key that another hand gave another type. Whichever
/// key that is, nothing that counts is lost, and nothing told twice: once the key is mended, a repetition does the whole.
@Suite(.takesTurns) struct SpoiltKeyTests {
    /// What a step is tried on, how it is asked for, and what it must come to.
    private struct Step: Sendable {
        let name: String
        var stage = Stage.active
        var isClaimed = true
        let expected: [String: String?]
        var isOver = true
        let ask: @Sendable (World, BotPlace) async throws -> Value
    }

    private static let steps = [
        Step(name: "completed", expected: ["status": "ANALYZING", "bot_status": "completed"]) { world, place in
            try await world.report(place, "completed", reason: "left_alone")
        },
        Step(name: "failed", stage: .joining, expected: ["status": "INITIAL", "bot_status": "failed"]) { world, place in
            try await world.report(place, "failed", reason: "evicted", "exit_code", "3")
        },
        Step(
            name: "active", stage: .joining, expected: ["status": "LIVE", "bot_status": "active"], isOver: false
        ) { world, place in try await world.report(place, "active") },
        Step(
            name: "stopped before its claim", stage: .requested, isClaimed: false,
            expected: ["status": "OFFLINE", "bot_status": "completed", "completion_reason": "stopped"]
        ) { world, place in try await world.stop(place) },
        Step(name: "stopped", expected: ["status": "STOPPING", "bot_status": "stopping"], isOver: false) {
            world, place in try await world.stop(place)
        },
        Step(name: "lost in the room", expected: ["status": "OFFLINE", "bot_status": "failed"]) { world, place in
            try await world.lose(place, runner: "runner", by: "next", "exit_code", "3")
        },
        Step(
            name: "replaced", stage: .joining, expected: ["bot_status": "requested", "bot_id": "next"], isOver: false
        ) { world, place in try await world.lose(place, runner: "runner", by: "next") },
        Step(
            name: "handed back", stage: .requested,
            expected: ["bot_status": "requested", "bot_container_id": nil], isOver: false
        ) { world, place in try await world.release(place) },
        Step(
            name: "expired", stage: .requested, isClaimed: false,
            expected: ["bot_status": "failed", "completion_reason": "dispatch_expired"]
        ) { world, place in
            _ = try await world.client.send("DEL", world.keys.inFlight(World.room))
            return try await world.expire(place.meetingID, bot: place.botID)
        },
    ]

    private static func keys(_ world: World) -> [String] {
        let (keys, partition) = (world.keys, world.keys.partition)
        return [
            keys.inFlight(World.room), keys.holder(World.room), keys.bots, partition.leases, partition.analyzing,
            partition.events, partition.ended, partition.dispatch,
        ]
    }

    /// What webhooks are told, by bot and what it has come to.
    private static func told(_ world: World) async throws -> [String] {
        let changes = try await world.snapshot()[world.keys.partition.outbox]?.stream ?? []
        return changes.map { "\($0["bot_id"] ?? "?") \($0["to"] ?? "?")" }
    }

    @Test(arguments: steps.indices)
    func aRepetitionDoesTheWhole(_ index: Int) async throws {
        let step = Self.steps[index]
        try await World.make { world in
            var failures = 0
            for key in Self.keys(world) {
                let comment: Comment = "\(step.name), \(key)"
                _ = try await world.client.send("ZADD", world.keys.webhooks, "1", "one")
                let place =
                    step.isClaimed
                    ? try await world.bot(at: step.stage) : try await world.send(to: try await world.meeting())
                let wasThere = try await world.client.send("EXISTS", key) == .integer(1)
                if wasThere { _ = try await world.client.send("RENAME", key, "kept") }
                _ = try await world.client.send("SADD", key, "x")
                for _ in 1...2 {
                    do {
                        _ = try await step.ask(world, place)
                    } catch RedisError.refused {
                        failures += 1
                    }
                }
                // What the step has removed, whatever its type, is not put back.
                let isSpoilt = try await world.client.send("DEL", key) == .integer(1)
                if wasThere && isSpoilt { _ = try await world.client.send("RENAME", "kept", key) }
                // Whether or not the first call failed, this one does what was left, or nothing.
                _ = try await step.ask(world, place)

                let fields = try await world.fields(place.meetingID)
                for (name, value) in step.expected { #expect(fields[name] == value, comment) }
                if step.isOver { try await world.expectFree(comment) }
                let told = try await Self.told(world)
                #expect(Set(told).count == told.count && !told.isEmpty, comment)
                _ = try await world.client.send("FLUSHDB")
                // All that a meeting needs of its workspace.
                try await world.set(world.keys.workspace, ["id": world.workspaceID])
            }
            #expect(failures > 0, "\(step.name): no key matters")
        }
    }
}
