import CLinux
import EventLoop
import Glibc
import Log
import Processes
import Redis
import Usher

extension Runner {
    /// How long nothing is read after this machine could not start a bot.
    private static let pauseMilliseconds = 5_000
    /// Of a bot that could not begin since its machine is short of something (sysexits.h, `EX_TEMPFAIL`).
    private static let shortageExitCode: Int32 = 75
    /// Tells a bot where to send its segments by HTTP, with its secret as with its reports.
    public static let segmentsVariable = "USHER_BOT_SEGMENTS_URL"
    /// Tells a bot that is to record which file it is to make of what it hears.
    public static let recordingVariable = "USHER_BOT_RECORDING"

    // MARK: Starting

    func launch(_ bot: RunningBot) async {
        guard let meeting = await claim(bot) else { return forget(bot) }
        bot.meeting = meeting
        guard await makeUser(of: bot, meeting) else { return await handBack(bot) }
        let deadline = timing.deadline(renewedAt: bot.claimedAt)
        guard !isStopping, BootTime.now() < deadline else { return await handBack(bot) }
        let program = SupervisedProgram(
            words: words(of: configuration.launch, bot, meeting), environment: environment(of: bot, meeting),
            cleanUp: configuration.cleanUp.map { words(of: $0, bot, meeting) } ?? [],
            showsOutput: configuration.showsOutput)
        bot.controlGroup = configuration.controlGroups?.make(bot.id)
        do {
            // The loop runs nothing else before the bot is in the keeper, so no event comes too early.
            bot.supervisor = try SupervisorHandle(
                configuration.supervisor, running: program, masking: secrets(of: bot, meeting),
                in: bot.controlGroup, deadline: deadline, loop: loop
            ) { [weak self] event in self?.supervisor(of: bot, event) }
        } catch {
            pause("No supervisor could be started", bot, "\(error)")
            return await handBack(bot)
        }
        _ = leases.add(
            bot.id, in: bot.entry.place.partition, claimedAt: bot.claimedAt,
            waitingRoomTimeout: meeting.botOptions.automaticLeave.waitingRoomTimeout)
        keepLeases()
    }

    /// - Returns: nil if the bot is not this runner's to start.
    private func claim(_ bot: RunningBot) async -> Meeting? {
        do throws(RedisError) {
            let claim = try await repeating(until: timing.deadline(renewedAt: bot.claimedAt)) {
                () throws(RedisError) in
                try await session.bots.claim(
                    bot.entry, runner: id, secret: bot.secret, container: bot.containerName,
                    writesToStream: configuration.isStreamShared)
            }
            guard case .claimed(let meeting, let trace, let waited) = claim else { return nil }
            bot.trace = trace ?? bot.trace
            bot.waitedMilliseconds = waited
            logger.info(
                "Claimed a dispatch",
                [
                    "trace_id": bot.traceID, "bot_id": bot.id, "meeting_id": meeting.id,
                    "epoch": String(bot.entry.epoch), "runner": id,
                ])
            return meeting
        } catch {
            logger.warning(
                "A dispatch could not be claimed",
                ["trace_id": bot.traceID, "bot_id": bot.id, "reason": "\(error)"])
            reader(of: bot.entry.place.partition).readOwnAgain()
            return nil
        }
    }

    /// Asks Redis again and again, until it answers, the time is over or, if asked, this runner stops.
    private func repeating<Answer>(
        until end: BootTime, endsWithRunner: Bool = false, _ ask: () async throws(RedisError) -> Answer
    ) async throws(RedisError) -> Answer {
        while true {
            do throws(RedisError) {
                return try await ask()
            } catch {
                guard BootTime.now() < end, !(endsWithRunner && isStopping) else { throw error }
                await loop.wait(milliseconds: timing.retry)
            }
        }
    }

    /// - Returns: false if the bot is to have a user of Redis, and that cannot be made.
    private func makeUser(of bot: RunningBot, _ meeting: Meeting) async -> Bool {
        do throws(RedisError) {
            let end = timing.deadline(renewedAt: bot.claimedAt)
            bot.login = try await repeating(until: end, endsWithRunner: true) { () throws(RedisError) in
                try await users.make(bot: bot.id, meeting: meeting.number, deadline: soon)
            }
            return true
        } catch {
            pause("A bot's user of Redis could not be made", bot, "\(error)")
            return false
        }
    }

    /// Has nothing more be read for a while: the next dispatch would come to the same.
    private func pause(_ what: String, _ bot: RunningBot, _ reason: String) {
        logger.error("\(what); pausing", ["trace_id": bot.traceID, "bot_id": bot.id, "reason": reason])
        shortage = "\(what): \(reason)"
        pauseEnd = .now().advanced(byMilliseconds: Self.pauseMilliseconds)
    }

    /// What a bot is told of Redis.
    private func redisURL(of bot: RunningBot) -> String {
        bot.login.map { BotUsers.url(configuration.botRedisURL, as: $0) } ?? configuration.botRedisURL
    }

    /// Gives back a bot that was claimed and not started. What Redis does not hear of here, the end of its lease tells.
    private func handBack(_ bot: RunningBot) async {
        // Before another runner makes it anew.
        if bot.login != nil { await users.remove(bot: bot.id, deadline: soon) }
        let end = bot.claimedAt.advanced(byMilliseconds: timing.timeToLive)
        try? await repeating(until: end) { () throws(RedisError) in
            if try await !session.bots.release(bot.entry.place, runner: id) {
                // It is no longer wanted, and so has ended as far as this runner goes.
                _ = try await session.bots.lose(
                    bot.entry.place, BotLoss(reason: "runner_stopped", mayBeReplaced: false, runnerID: id))
            }
            logger.info("Handed a dispatch back", ["trace_id": bot.traceID, "bot_id": bot.id])
        }
        forget(bot)
    }

    private func words(of command: LaunchCommand, _ bot: RunningBot, _ meeting: Meeting) -> [String] {
        command.words(replacing: [
            "bot_id": bot.id, "container_name": bot.containerName, "meeting_id": meeting.id,
            "number": String(meeting.number), "platform": meeting.room.platform.rawValue,
        ])
    }

    private func environment(of bot: RunningBot, _ meeting: Meeting) -> [String: String] {
        var environment = configuration.environment
        environment[BotConfiguration.variable] =
            BotConfiguration(
                meeting: meeting, botID: bot.id, containerName: bot.containerName, secret: bot.secret,
                redisURL: redisURL(of: bot), apiURL: configuration.apiURL,
                defaultName: configuration.defaultBotName,
                automaticLeave: BotConfiguration.AutomaticLeave(
                    waitingRoomTimeout: configuration.waitingRoomTimeoutMilliseconds,
                    noOneJoinedTimeout: configuration.noOneJoinedTimeoutMilliseconds,
                    everyoneLeftTimeout: configuration.everyoneLeftTimeoutMilliseconds),
                transcription: configuration.transcription, recordingUploadURL: configuration.recordingUploadURL,
                recordingUploadToken: configuration.recordingUploadToken
            ).json
        // For bots that send their segments by HTTP, as ours where the stream is closed.
        if !configuration.isStreamShared {
            environment[Self.segmentsVariable] = "\(configuration.apiURL)/internal/bots/\(bot.id)/segments"
        }
        if meeting.botOptions.records == true, configuration.recordingUploadURL == nil,
            let folder = configuration.recordingsFolder,
            let place = RecordingPlace(bot.entry.place)
        {
            environment[Self.recordingVariable] = "\(folder)/\(place.path)"
        }
        environment["TRACEPARENT"] = bot.trace?.traceparent
        environment["TRACESTATE"] = bot.trace?.state
        return environment
    }

    // MARK: Events

    private func supervisor(of bot: RunningBot, _ event: SupervisorHandle.Event) {
        switch event {
        case .report(.started(let process)):
            bot.group = process
            shortage = nil
            metrics.botsStarted += 1
            metrics.dispatchToStart.record(
                milliseconds: bot.waitedMilliseconds.addingClamped(BootTime.now().milliseconds(since: bot.claimedAt)))
            if let deadline = leases.deadline(of: bot.id) { leases.confirm(bot.id, deadline) }
            logger.info(
                "Started a bot",
                [
                    "trace_id": bot.traceID, "bot_id": bot.id, "meeting_id": bot.entry.place.meetingID,
                    "epoch": String(bot.entry.epoch),
                    "process": String(process),
                    "milliseconds": String(BootTime.now().milliseconds(since: bot.claimedAt)),
                ])
        case .report(.deadlineTaken(let deadline)): leases.confirm(bot.id, deadline)
        case .report(.notStarted(let reason, mayPass: true)):
            leases.remove(bot.id)
            pause("This machine is short of something", bot, reason)
            Task(executorPreference: loop) { [self] in await handBack(bot) }
        case .report(.notStarted(let reason, mayPass: false)):
            finish(
                bot,
                BotLoss(reason: "launch_failed", mayBeReplaced: false, runnerID: id, fields: ["error_details": reason]))
        case .report(.ended(let end)):
            if end.status == .exited(code: Self.shortageExitCode), !leases.wasInRoom(bot.id) {
                // Another one is sent, which would come to the same here.
                pause("This machine is short of something", bot, "a bot that could not begin says so")
            }
            let reason = bot.endReason ?? (end.cause == .deadline ? "lease_expired" : "bot_exited")
            var fields: [String: String] = [:]
            switch end.status {
            case .exited(let code): fields["exit_code"] = String(code)
            case .killed(let signal): fields["exit_signal"] = String(signal)
            }
            if !end.output.isEmpty { fields["bot_output"] = end.output }
            // A bot that reaches no node ends without a word.
            if let nodesProblem { fields["error_details"] = "When it ended, \(nodesProblem)." }
            finish(bot, BotLoss(reason: reason, mayBeReplaced: true, runnerID: id, fields: fields))
        case .vanished:
            leases.remove(bot.id)
            Task(executorPreference: loop) { [self] in await endAbandoned(bot) }
        }
    }

    /// Kills a bot at once.
    func end(_ bot: RunningBot, because reason: String) {
        bot.endReason = bot.endReason ?? reason
        bot.supervisor?.send(.end(graceMilliseconds: 0))
    }

    /// What a bot writes may repeat what it was told, and the record is shown to people.
    private func secrets(of bot: RunningBot, _ meeting: Meeting) -> [String] {
        // The address that it would have without a user of its own is not for its record either.
        let urls = Set([redisURL(of: bot), configuration.botRedisURL])
        return urls + urls.compactMap { (try? RedisURL($0))?.password }
            + [
                bot.secret, meeting.fields["passcode"], configuration.transcription?.token,
                configuration.recordingUploadToken,
            ].compactMap { $0 }
    }

    // MARK: Ending

    /// Sees to it that a bot whose supervisor was killed is gone and cleaned up after, before anybody is told so. Its
    /// first process has ended with the supervisor; others are children of this process now, or carry its configuration.
    private func endAbandoned(_ bot: RunningBot) async {
        logger.error("A supervisor has ended before its bot", ["trace_id": bot.traceID, "bot_id": bot.id])
        var killed: Set<Int32> = []
        // Looking takes a look at every process of the machine, and leases are to be renewed meanwhile.
        var pause = 20
        // Then the sweep gives its room out, whatever is known here.
        let leaseEnd = BootTime.now().advanced(byMilliseconds: timing.timeToLive)
        var isSaid = false
        while true {
            if let group = bot.group {
                kill(-group, SIGKILL)
                while waitpid(-group, nil, WNOHANG) > 0 {}
            }
            bot.controlGroup?.kill()
            // nil: nobody knows who is left.
            let left = leftBehind(by: bot)
            for process in left ?? [] {
                kill(process, SIGKILL)
                killed.insert(process)
            }
            killed = killed.filter { waitpid($0, nil, WNOHANG) != $0 && kill($0, 0) == 0 }
            let isGroupGone = bot.group.map { kill(-$0, 0) != 0 } ?? true
            if left == nil {
                if !isSaid {
                    logger.error(
                        "Nobody can look whether a bot is gone: descriptors have run out",
                        ["trace_id": bot.traceID, "bot_id": bot.id])
                }
                isSaid = true
                if BootTime.now() >= leaseEnd { break }
            } else if isGroupGone && killed.isEmpty && bot.controlGroup?.isEmpty != false {
                break
            }
            await loop.wait(milliseconds: pause)
            pause = min(2 * pause, 500)
        }
        await cleanUp(bot)
        finish(bot, BotLoss(reason: bot.endReason ?? "supervisor_lost", mayBeReplaced: true, runnerID: id))
    }

    private func leftBehind(by bot: RunningBot) -> [Int32]? {
        guard let carriers = ProcessTable.processes(carrying: bot.id) else { return nil }
        guard configuration.adoptsOrphans else { return carriers }
        return ProcessTable.children().map { carriers + $0.filter { !ChildProcess.hasStarted($0) } }
    }

    /// Runs the clean-up that the bot's own supervisor could not, to its end.
    private func cleanUp(_ bot: RunningBot) async {
        guard let command = configuration.cleanUp, let meeting = bot.meeting else { return }
        let program = SupervisedProgram(
            words: words(of: command, bot, meeting), environment: configuration.environment, showsOutput: true)
        let limit = BootTime.now().advanced(byMilliseconds: Supervisor.cleanUpMilliseconds)
        while let problem = await run(program) {
            guard problem.mayPass, BootTime.now() < limit else {
                return logger.error(
                    "The clean-up after a bot could not be started",
                    ["trace_id": bot.traceID, "bot_id": bot.id, "reason": problem.reason])
            }
            await loop.wait(milliseconds: timing.retry)
        }
    }

    /// Runs a program to its end.
    /// - Returns: why it could not be started, and whether it may be a moment later.
    private func run(_ program: SupervisedProgram) async -> (reason: String, mayPass: Bool)? {
        let deadline = BootTime.now().advanced(byMilliseconds: Supervisor.cleanUpMilliseconds)
        return await withCheckedContinuation { end in
            do {
                _ = try SupervisorHandle(configuration.supervisor, running: program, deadline: deadline, loop: loop) {
                    switch $0 {
                    case .report(.started), .report(.deadlineTaken): break
                    case .report(.notStarted(let reason, let mayPass)): end.resume(returning: (reason, mayPass))
                    case .report(.ended), .vanished: end.resume(returning: nil)
                    }
                }
            } catch {
                end.resume(returning: ("\(error)", (error as? SystemError)?.mayPass == true))
            }
        }
    }

    /// The bot's process is gone. Tells Redis, which knows whether the bot had reported its end.
    private func finish(_ bot: RunningBot, _ loss: BotLoss) {
        guard !bot.hasEnded else { return }
        bot.hasEnded = true
        leases.remove(bot.id)
        wakeReaders()
        Task(executorPreference: loop) { [self] in
            let outcome = await report(loss, of: bot)
            let reason = await reason(loss, outcome, bot.entry.place)
            metrics.botsEnded[reason, default: 0] += 1
            recordings?.lookSoon(at: bot.entry.place)
            forget(bot)
        }
    }

    /// Why a bot ended, for the metric. Of one that ended by itself the records tell whether it failed: a code or signal
    /// does not, since those of a bot that was told to leave or that nobody let in may be any.
    private func reason(_ loss: BotLoss, _ outcome: Bots.LossOutcome?, _ place: BotPlace) async -> String {
        guard loss.reason == "bot_exited" else { return loss.reason }
        let hasFailed =
            switch outcome {
            case .ended(_, let botStatus): botStatus == "failed"
            case .replaced: true
            case .wasOver: (try? await session.bots.hasFailedByItself(place)) ?? false
            case .refused, nil: false
            }
        return hasFailed ? "bot_failed" : loss.reason
    }

    /// Tries for as long as a lease can last: after that the sweep has seen to it.
    /// - Returns: nil if Redis has not answered.
    private func report(_ loss: BotLoss, of bot: RunningBot) async -> Bots.LossOutcome? {
        do throws(RedisError) {
            let end = BootTime.now().advanced(byMilliseconds: timing.timeToLive)
            let outcome = try await repeating(until: end) { () throws(RedisError) in
                try await session.bots.lose(bot.entry.place, loss)
            }
            log(outcome, loss, bot)
            return outcome
        } catch {
            logger.warning(
                "A bot's end could not be told",
                ["trace_id": bot.traceID, "bot_id": bot.id, "reason": "\(error)"])
            return nil
        }
    }

    private func log(_ outcome: Bots.LossOutcome, _ loss: BotLoss, _ bot: RunningBot) {
        let fate =
            switch outcome {
            case .ended(_, let status): status
            case .replaced: "replaced"
            case .wasOver: "over"
            case .refused: "another's"
            }
        logger.info(
            "A bot has ended",
            [
                "trace_id": bot.traceID, "bot_id": bot.id, "meeting_id": bot.entry.place.meetingID,
                "reason": loss.reason,
                "exit_code": loss.fields["exit_code"] ?? "", "exit_signal": loss.fields["exit_signal"] ?? "",
                "outcome": fate,
            ])
    }

    private func forget(_ bot: RunningBot) {
        bots[bot.id] = nil
        // If its supervisor could not.
        bot.controlGroup?.remove()
        if bot.login != nil {
            Task(executorPreference: loop) { [self] in await users.remove(bot: bot.id, deadline: soon) }
        }
        wakeReaders()
        endIfDone()
    }
}
