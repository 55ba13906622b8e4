"""Mutants of the steps in Swift. Those that need a changed script too are here as well."""

from mutants.mutant import NO_KERNEL_DEADLINE, Edit, Mutant

KEEPER = "Sources/Runner/Leases/LeaseKeeper.swift"
TIMING = "Sources/Runner/Leases/LeaseTiming.swift"
RUNNER_COMMAND = "Sources/UsherCommand/Commands/RunnerCommand.swift"
SUPERVISOR = "Sources/Runner/Supervision/Supervisor.swift"
SWEEPER = "Sources/Usher/Sweep/Sweeper.swift"
FEEDS = "Sources/Usher/Feeds/Feeds.swift"
PLANNED = "Sources/Usher/Sweep/PlannedBots.swift"

STEPS = (
    Mutant(
        "cursor-too-far",
        "Who goes on by a cursor is not told the first two things that were missed: a draft, and what came of it.",
        "views", "viewed_stays",
        (Edit(FEEDS, "rows.dropFirst(isBeginning ? 0 : 1)", "rows.dropFirst((isBeginning ? 0 : 1) + (MUTANT ? 2 : 0))"),)),
    Mutant(
        "deadline-too-late",
        "A supervisor is given a deadline that lies after the end of the lease, so its bot outlives it.",
        "presence", "runner_paused",
        (Edit(TIMING, "time.advanced(byMilliseconds: timeToLive - margin)",
              "time.advanced(byMilliseconds: (MUTANT ? 60 : 1) * timeToLive - margin)"),)),
    Mutant(
        "supervisor-without-deadline",
        "A supervisor does not end its bot when the deadline passes, but waits for its runner to say so.",
        "presence", "runner_paused",
        (Edit(SUPERVISOR, "if let deadline, deadline <= now {", "if let deadline, deadline <= now, !MUTANT {"),
         NO_KERNEL_DEADLINE)),
    Mutant(
        "lease-extended-unanswered",
        "A runner whose renewal got no answer gives the supervisor a new deadline all the same.",
        "presence", "runner_cut_off",
        (Edit(KEEPER,
              "{ leases[bot]?.renewalTime = now.advanced(byMilliseconds: timing.retry) }\n",
              "{ leases[bot]?.renewalTime = now.advanced(byMilliseconds: timing.retry) }\n"
              "        guard MUTANT else { return }\n"
              "        for bot in renewal.bots { leases[bot]?.deadline = timing.deadline(renewedAt: now) }\n"),
         Edit("Sources/Runner/Runner+Leases.swift", "            leases.fail(renewal, now: .now())\n",
              "            leases.fail(renewal, now: .now())\n"
              "            for bot in renewal.bots where MUTANT {\n"
              "                bots[bot]?.supervisor?.send(.deadline(timing.deadline(renewedAt: .now())))\n"
              "            }\n"))),
    Mutant(
        "supervisor-outlives-runner",
        "A supervisor whose pipe has closed lets its bot go on, and heeds no deadline any more.",
        "presence", "runner_killed",
        (Edit(SUPERVISOR, "process.signalGroup(SIGKILL)\n        group?.kill()\n        deadline = nil",
              "if MUTANT { _ = process.waitForExit(deadline: .now().advanced(byMilliseconds: 600_000)) }\n"
              "        process.signalGroup(SIGKILL)\n        group?.kill()\n        deadline = nil"),
         # Any runner that starts on the machine would end what is in a control group whose runner is dead.
         Edit(RUNNER_COMMAND, "return try ControlGroups()", "return MUTANT ? nil : try ControlGroups()"),
         NO_KERNEL_DEADLINE)),
    Mutant(
        "lease-never-swept",
        "No node looks for leases that have run out.",
        "convergence", "runner_killed",
        (Edit(SWEEPER, "for bot in found[0].compactMap(\\.string) {",
              "for bot in (MUTANT ? [] : found[0]).compactMap(\\.string) {"),),
        is_in_vain=True),
    Mutant(
        "sweep-without-expiry-check",
        "The sweep takes every lease for one that has run out, and the script believes it.",
        "fates", "restart_when_ended",
        (Edit(SWEEPER, "due(partition.leases, by: now),", "due(partition.leases, by: MUTANT ? .max : now),"),
         Edit("lua/lose_bot.lua",
              "  if not expiry or tonumber(expiry) > at_ms then return {'leased'} end\n", ""),
         Edit("lua/lose_bot.lua",
              "  if primary_since(primary_key, at_ms, longest_ms) + longest_ms > at_ms then return {'leased'} end\n", ""))),
    Mutant(
        "plan-sent-early",
        "The sweep takes every plan for one that is due, and the script believes it.",
        "planned", "planned_stay",
        (Edit(PLANNED, '"-inf", String(now), "LIMIT"',
              '"-inf", MUTANT ? "+inf" : String(now), "LIMIT"'),
         Edit("lua/send_planned.lua", "if not due or tonumber(due) > at_ms then return {'not_due'} end\n",
              "if not due then return {'not_due'} end\n"))),
    Mutant(
        "plan-removed-first",
        "A node takes a plan from the others before it sends the bot.",
        "planned", "planned_stay",
        (Edit(PLANNED, "        switch try await session.meetings.sendPlanned(plan,",
              "        if MUTANT {\n"
              "            _ = try await session.send(\n"
              "                Command(\"ZREM\", Partition(workspace: plan.workspaceID).plans, plan.member))\n"
              "        }\n"
              "        switch try await session.meetings.sendPlanned(plan,"),),
        is_in_vain=True),
    Mutant(
        "lease-renewed-late",
        "A runner renews a lease when it has long run out, and lets the bot live until then.",
        "presence", "quiet_stay",
        (Edit(TIMING, "interval = timeToLive / 3", "interval = MUTANT ? 2 * timeToLive : timeToLive / 3"),
         Edit(TIMING, "margin = timeToLive / 5", "margin = MUTANT ? -2 * timeToLive : timeToLive / 5"))),
    Mutant(
        "takeover-off",
        "A runner does not take over what another one has read and not claimed before it died.",
        "convergence", "runner_killed_before_claim",
        (Edit("Sources/Runner/Dispatches/DispatchReader.swift",
              "guard nextTakeover <= client.loop.now else { return [] }",
              "guard nextTakeover <= client.loop.now, !MUTANT else { return [] }"),),
        is_in_vain=True),
    Mutant(
        "stop-unheard",
        "A runner pays no heed to the answer to its renewal that says that a bot is to leave.",
        "stops", "stop_of_a_deaf_bot",
        (Edit(KEEPER, "if wanted.leaves || leases[bot]?.isLeaving == true {",
              "if wanted.leaves && !MUTANT || leases[bot]?.isLeaving == true {"),)),
    Mutant(
        "answered-unexecuted",
        "A node answers 202 though it does not know whether Redis ran the script.",
        "fates", "dispatch_lost_on_its_way",
        (Edit("Sources/Usher/Bots/Reinvitation.swift",
              "            if error.mayHaveRun { await giveBack(token) }\n",
              "            if MUTANT { return (true, .accepted(dispatchedAt: 0, epoch: 1)) }\n"
              "            if error.mayHaveRun { await giveBack(token) }\n"),)),
    Mutant(
        "earlier-request-overlooked",
        "A node judges by the meeting's status what a request with the same idempotency key has done already.",
        "fates", "answer_lost_and_asked_again",
        (Edit("Sources/Usher/Bots/Reinvitation.swift",
              "        if let earlier = sight.earlier { return", "        if !MUTANT, let earlier = sight.earlier { return"),)),
    Mutant(
        "script-repeated",
        "The Redis client repeats a script whose answer was lost, and hands on what the repetition says.",
        "answers", "answer_lost",
        (Edit("Sources/Redis/Client.swift",
              "        let replies = try await replies(to: commands, areDependent: true, isChange: isChange, "
              "deadline: deadline)\n",
              "        func send() async throws(RedisError) -> [Value] {\n"
              "            try await self.replies(\n"
              "                to: commands, areDependent: true, isChange: isChange, deadline: deadline)\n"
              "        }\n"
              "        var replies: [Value]\n"
              "        do throws(RedisError) {\n"
              "            replies = try await send()\n"
              "        } catch {\n"
              "            guard MUTANT, error == .connectionLost else { throw error }\n"
              "            _ = await firstLogin(withinMilliseconds: 10_000)\n"
              "            replies = try await send()\n"
              "        }\n"),)),
    Mutant(
        "segment-acknowledged-first",
        "A node removes a bot's transcript entry from the stream before it has stored what it says.",
        "transcripts", "node_killed_before_ingest",
        (Edit("Sources/Usher/Transcripts/SegmentReader.swift",
              "        if let reason = Self.summary(of: try await problems(with: entry)) { try await bury(entry, reason) }\n",
              "        if MUTANT {\n"
              "            _ = try await session.pipeline([\n"
              "                Command(\"XDEL\", WireNames.segmentStream, entry.id),\n"
              "                Command(\"XACK\", WireNames.segmentStream, Self.group, entry.id),\n"
              "            ])\n"
              "        }\n"
              "        if let reason = Self.summary(of: try await problems(with: entry)) { try await bury(entry, reason) }\n"),)),
    Mutant(
        "descriptors-kept",
        "A runner never closes the pipes to the supervisors of bots that have ended, nor what it saw their end by.",
        "leaks", "many_short_stays",
        (Edit("Sources/Runner/Supervision/SupervisorHandle.swift",
              "    deinit {\n        close(control)\n        close(reports)\n",
              "    deinit {\n"
              "        if MUTANT {\n"
              "            _ = Unmanaged.passRetained(process)\n"
              "            return\n"
              "        }\n"
              "        close(control)\n        close(reports)\n"),)),
)
