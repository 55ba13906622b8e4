import Redis
import RedisTestSupport
import TestTurns
import Testing

@testable import Usher

/// What scripts leave in an outbox, and what becomes of it.
@Suite(.takesTurns) struct OutboxTests {
    private static func hook(_ world: World, _ events: Set<Webhook.Event>? = nil) async throws -> String {
        try await world.session.webhooks.create(
            WebhookChange(url: "https://a.example/", events: .some(events), isEnabled: true),
            workspace: world.workspaceID
        ).get()
    }

    private static func outbox(_ world: World) async throws -> [[String: String]] {
        try await world.snapshot()[world.keys.partition.outbox]?.stream ?? []
    }

    /// A node had taken an outbox when the clock was set back by an hour.
    @Test func nobodyFilesForLongerThanThatTakes() async throws {
        try await World.make { world in
            _ = try await Self.hook(world)
            _ = try await world.bot(at: .requested)
            let filing = world.keys.partition.filing
            _ = try await world.client.send("SET", filing, "another", "PX", "3600000")
            func file() async throws -> Int {
                try await world.session.deliveries.fileOutboxes(node: "own") { _, _, _ in "{}" }.filed
            }
            #expect(try await file() == 0)
            let left = try await world.client.send("PTTL", filing).integer ?? 0
            #expect((1...5_000).contains(left))
            // What is no longer than that stays.
            _ = try await world.client.send("SET", filing, "another", "PX", "1000")
            #expect(try await file() == 0)
            #expect(try await world.client.send("PTTL", filing).integer ?? 0 <= 1_000)
            _ = try await world.client.send("DEL", filing)
            #expect(try await file() == 1)
        }
    }

    @Test func aWorkspaceWithoutWebhooksLeavesNothing() async throws {
        try await World.make { world in
            let bot = try await world.bot(at: .active)
            _ = try await world.stop(bot)
            _ = try await world.report(bot, "completed")
            _ = try await world.session.transcripts.finalise(meeting: bot.meetingID, workspace: world.workspaceID)
            #expect(try await Self.outbox(world) == [])
            #expect(try await world.fields(bot.meetingID)["changes"] == nil)
        }
    }

    /// Each entry says what the record says after its change, and no other field of it changes unseen.
    @Test func eachChangeIsThereAsTheRecordWasAfterIt() async throws {
        try await World.make { world in
            _ = try await Self.hook(world)
            let meeting = try await world.meeting()
            try await world.set(
                world.keys.partition.meeting(meeting),
                [
                    "task": "translate", "transcribe_enabled": "false", "recording_enabled": "true",
                    "waiting_room_timeout_ms": "2000", "no_one_joined_timeout_ms": "3000",
                    "everyone_left_timeout_ms": "4000",
                ])
            var told = 0
            func check(_ to: String) async throws {
                let entries = try await Self.outbox(world)
                told += 1
                #expect(entries.count == told)
                let entry = try #require(entries.last)
                #expect(entry["to"] == to && entry["sequence"] == String(told))
                let record = try await world.fields(meeting)
                #expect(record["changes"] == String(told))
                #expect(to == "\(record["status"] ?? "")/\(record["bot_status"] ?? "")")
                for name in [
                    "number", "platform", "native_meeting_id", "meeting_url", "created_at", "updated_at", "title",
                    "dispatched_at", "start_time", "end_time", "completion_reason", "failure_stage", "workspace_id",
                    "bot_id", "task", "transcribe_enabled", "recording_enabled", "waiting_room_timeout_ms",
                    "no_one_joined_timeout_ms", "everyone_left_timeout_ms",
                ] {
                    #expect(entry[name] == record[name], "\(name), \(to)")
                }
                // The record of a new bot has that of the one before until its own end.
                let hasEnded = to.hasSuffix("/completed") || to.hasSuffix("/failed")
                for name in ["exit_code", "exit_signal", "error_details"] {
                    #expect(entry[name] == (hasEnded ? record[name] : nil), "\(name), \(to)")
                }
                #expect(entry["passcode"] == nil)
            }
            var bot = try await world.send(to: meeting)
            try await check("INITIAL/requested")
            try await world.claim(bot)
            for (status, to) in [
                ("joining", "INITIAL/joining"), ("awaiting_admission", "INITIAL/awaiting_admission"),
                ("needs_help", "INITIAL/needs_help"), ("active", "LIVE/active"),
            ] {
                #expect(try await world.report(bot, status).array?.first == .string("accepted"))
                try await check(to)
            }
            #expect(try await world.stop(bot).array?.first == .string("leaving"))
            try await check("STOPPING/stopping")
            let ended = try await world.report(bot, "completed", "exit_code", "7", "error_details", "why")
            #expect(ended.array?.first == .string("accepted"))
            try await check("ANALYZING/completed")
            #expect(try await Self.outbox(world).last?["exit_code"] == "7")
            #expect(try await world.session.transcripts.finalise(meeting: meeting, workspace: world.workspaceID))
            try await check("OFFLINE/completed")
            // A restart forgets when it began and ended, a failure says where.
            #expect(
                try await world.dispatch(meeting, bot: Identifier.bot(in: world.keys.partition), seen: "OFFLINE")
                    .array?.first == .string("accepted"))
            try await check("INITIAL/requested")
            bot = world.place(meeting, try #require(try await world.fields(meeting)["bot_id"]))
            try await world.claim(bot)
            let next = Identifier.bot(in: world.keys.partition)
            #expect(try await world.lose(bot, runner: "runner", by: next).array?.first == .string("replaced"))
            try await check("INITIAL/requested")
            bot = world.place(meeting, next)
            try await world.claim(bot)
            #expect(
                try await world.lose(
                    bot, runner: "runner", mayBeReplaced: false, by: "none", "exit_signal", "9", "bot_output", "text"
                ).array?.first == .string("ended"))
            try await check("INITIAL/failed")
            let last = try #require(try await Self.outbox(world).last)
            #expect(last["exit_signal"] == "9" && last["exit_code"] == nil && last["error_details"] == nil)
            #expect(last["bot_output"] == nil)
        }
    }

    @Test(arguments: [
        ("user 7", "user_stop"), ("stopped", "user_stop"), ("workspace removed", "user_stop"), ("bot", "bot_callback"),
        ("left_alone", "bot_callback"), ("left_unasked", "bot_callback"), ("no_reason_given", "bot_callback"),
        ("plan", "scheduler_timeout"), ("bot_exited", "scheduler_timeout"), ("launch_failed", "scheduler_timeout"),
        ("supervisor_lost", "scheduler_timeout"), ("runner_stopped", "scheduler_timeout"),
        ("join_timeout", "scheduler_timeout"), ("lease_lost", "scheduler_timeout"),
        ("lease_expired", "scheduler_timeout"), ("dispatch_expired", "scheduler_timeout"),
    ])
    func aChangeTellsWhoseItIs(_ why: String, _ source: String) throws {
        let change = try MeetingChange(
            id: "1-0",
            [
                "meeting_id": "m", "sequence": "1", "what": "failed", "from": "LIVE/active", "to": "OFFLINE/failed",
                "at": "1", "why": why, "number": "1", "workspace_id": "w", "platform": "google_meet",
                "native_meeting_id": "abc-defg-hij", "created_at": "1",
            ])
        #expect(change.source.rawValue == source)
    }

    @Test func aDispatchThatNobodyClaimsIsThereTwice() async throws {
        try await World.make { world in
            _ = try await Self.hook(world)
            let bot = try await world.send(to: try await world.meeting())
            #expect(try await world.stop(bot).array?.first == .string("ended"))
            #expect(
                try await Self.outbox(world).map { $0["to"] } == [
                    "INITIAL/requested", "STOPPING/stopping", "OFFLINE/completed",
                ])
        }
    }

    private static func file(_ world: World) async throws -> FiledEvents {
        try await world.session.deliveries.fileOutboxes(node: "n") { change, event, _ in
            "\(event.rawValue) \(change.sequence)"
        }
    }

    @Test func changesAreFiledForWhoWantsThem() async throws {
        try await World.make { world in
            let all = try await Self.hook(world)
            let some = try await Self.hook(world, [.completed])
            let none = try await Self.hook(world, [])
            let bot = try await world.bot(at: .active)
            _ = try await world.report(bot, "completed")
            let filed = try await Self.file(world)
            #expect(filed.filed == 8 && filed.dropped == 0)
            #expect(try await Self.outbox(world) == [])
            #expect(try await world.snapshot()[world.keys.partition.filing] == nil)
            let after = try await world.snapshot()
            func bodies(_ id: String) -> [String] {
                (after[world.keys.webhook(id).events]?.hash ?? [:]).filter { !$0.key.contains(" ") }.values.sorted()
            }
            #expect(
                bodies(all) == [
                    "meeting.completed 5", "meeting.started 4", "meeting.status_change 1", "meeting.status_change 2",
                    "meeting.status_change 3", "meeting.status_change 4", "meeting.status_change 5",
                ])
            #expect(bodies(some) == ["meeting.completed 5"] && bodies(none) == [])
            #expect(try await Self.file(world).filed == 0)
            #expect(Set(try await world.session.deliveries.due(in: .webhooks).map(\.id)) == [all, some])
        }
    }

    /// A node that stops between filing and noting that it did leads to the same events, and to none twice.
    @Test func whatWasFiledHalfWayIsFiledOnce() async throws {
        try await World.make { world in
            let hook = try await Self.hook(world)
            _ = try await world.send(to: try await world.meeting())
            let partition = world.keys.partition
            let entry = try #require(try await Self.outbox(world).first)
            #expect(try await Self.file(world).filed == 1)
            let words = entry.filter { $0.key != "<id>" }.flatMap { [$0.key, $0.value] }
            _ = try await world.client.send(
                Command(words: ["XADD", partition.outbox, "*"] + words), deadline: Client.soon)
            #expect(try await Self.file(world).filed == 0)
            #expect(try await Self.outbox(world) == [])
            #expect(try await world.snapshot()[world.keys.webhook(hook).due]?.sortedSet?.count == 1)
        }
    }

    @Test func oneNodeFilesAPartitionAtATime() async throws {
        try await World.make { world in
            _ = try await Self.hook(world)
            _ = try await world.send(to: try await world.meeting())
            let filing = world.keys.partition.filing
            _ = try await world.client.send("SET", filing, "another", "PX", "60000")
            #expect(try await Self.file(world).filed == 0)
            #expect(try await world.snapshot()[filing] == .string("another"))
            _ = try await world.client.send("DEL", filing)
            #expect(try await Self.file(world).filed == 1)
        }
    }

    @Test func aWebhookOfAnotherTypeKeepsNothingFromTheOthers() async throws {
        try await World.make { world in
            let spoilt = try await Self.hook(world)
            let hook = try await Self.hook(world)
            let record = world.keys.webhook(spoilt).webhook
            _ = try await world.client.send("DEL", record)
            _ = try await world.client.send("SET", record, "x")
            #expect(try await world.session.webhooks.all(workspace: world.workspaceID).map(\.id) == [hook])
            _ = try await world.send(to: try await world.meeting())
            let filed = try await Self.file(world)
            #expect(filed.filed == 1 && filed.dropped == 0)
        }
    }

    @Test func whatIsNoneOfOursHoldsUpNothing() async throws {
        try await World.make { world in
            // First in every list.
            let spoilt = try await Self.hook(world)
            let hook = try await Self.hook(world)
            let partition = world.keys.partition
            _ = try await world.client.send("XADD", partition.outbox, "*", "a", "b")
            _ = try await world.client.send("SET", world.keys.webhook(spoilt).due, "x")
            _ = try await world.client.send("ZADD", partition.deliveries, "1", "odd", "1", "a b", "1", "a:b wh_1")
            _ = try await world.send(to: try await world.meeting())
            let filed = try await Self.file(world)
            #expect(filed.dropped == 2)
            #expect(try await Self.outbox(world) == [])
            #expect(try await world.snapshot()[world.keys.webhook(hook).due]?.sortedSet?.count == 1)
            #expect(try await world.session.deliveries.due(in: .webhooks).contains { $0.id == hook })
            #expect(try await world.snapshot()[partition.deliveries]?.sortedSet?.keys.contains("odd") == false)
            // Nor does it hold up what is claimed: it comes last for a minute, and the log tells why.
            let member = world.keys.member(spoilt)
            _ = try await world.client.send("ZADD", partition.deliveries, "1", member)
            var claimed: [String] = []
            for (workspace, id) in try await world.session.deliveries.due(in: .webhooks) {
                claimed += try await world.session.deliveries.claim(
                    workspace: workspace, webhook: id, count: 1, failingCount: 1
                ).map(\.webhook.id)
            }
            #expect(claimed == [hook])
            let score = try await world.client.send("ZSCORE", partition.deliveries, member).string.flatMap { Int($0) }
            #expect(try #require(score) > (try await world.now()) + 30_000)
        }
    }
}
