import Log
import Redis
import Usher

extension Runner {
    /// Does what is due for the leases, and sets the timer for what is due next.
    func keepLeases() {
        loop.preconditionCurrent()
        let now = BootTime.now()
        perform(leases.dueActions(now: now))
        for renewal in leases.dueRenewals(now: now) {
            Task(executorPreference: loop) { [self] in
                await renew(renewal)
                keepLeases()
            }
        }
        leaseTimer?.cancel()
        leaseTimer = leases.nextTime.map { time in
            loop.schedule(at: time.onMonotonicClock) { [weak self] in self?.keepLeases() }
        }
    }

    /// Sends one renewal, and does what its answer asks for.
    func renew(_ renewal: LeaseRenewal) async {
        do throws(RedisError) {
            let answers = try await renewals.session(until: soon).bots.renew(
                bots: renewal.bots, in: renewal.partition, runner: id)
            let refused = answers.count { $0 == .refused }
            metrics.renewals += answers.count - refused
            metrics.refusedRenewals += refused
            perform(leases.take(answers, to: renewal, now: .now()))
        } catch {
            metrics.failedRenewals += 1
            leases.fail(renewal, now: .now())
            logger.warning(
                "Leases could not be renewed; trying again",
                ["bots": String(renewal.bots.count), "reason": "\(error)"])
        }
    }

    func perform(_ actions: [LeaseAction]) {
        for action in actions {
            switch action {
            case .extend(let bot, let deadline): bots[bot]?.supervisor?.send(.deadline(deadline))
            case .tellToLeave(let bot): tellToLeave(bot)
            case .reconfigure(let bot, let wanted):
                publish(BotCommand.reconfigure(wanted), to: bot, configuration: wanted.configurationVersion)
            case .end(let bot, let grace):
                logger.info("Ending a bot that was to leave", ["trace_id": traceID(of: bot), "bot_id": bot])
                bots[bot]?.supervisor?.send(.end(graceMilliseconds: grace))
            case .giveUp(let bot, let grace):
                logger.warning(
                    "Ending a bot that has not come into its room in its time",
                    ["trace_id": traceID(of: bot), "bot_id": bot])
                guard let bot = bots[bot] else { continue }
                bot.endReason = "join_timeout"
                Task(executorPreference: loop) { [self] in
                    await noteEnding(of: bot, "join_timeout")
                    bot.supervisor?.send(.end(graceMilliseconds: grace))
                }
            case .kill(let bot):
                logger.warning(
                    "The lease of a bot is lost; ending it", ["trace_id": traceID(of: bot), "bot_id": bot])
                if let bot = bots[bot] { end(bot, because: "lease_lost") }
            case .overdue(let bot):
                logger.error(
                    "A supervisor has not kept its deadline, and is killed",
                    ["trace_id": traceID(of: bot), "bot_id": bot])
                bots[bot]?.supervisor?.kill()
            }
        }
    }

    /// Has the record say why a bot ends, which itself reports no more than that it was told to leave. Should this fail, it
    /// ends all the same.
    func noteEnding(of bot: RunningBot, _ reason: String) async {
        try? await session.bots.noteEnding(of: bot.entry.place, runner: id, reason: reason)
    }

    private func traceID(of bot: String) -> String { bots[bot]?.traceID ?? "" }

    private func tellToLeave(_ botID: String) {
        if let bot = bots[botID], !bot.isLeaving {
            bot.isLeaving = true
            logger.info("A bot is to leave", ["trace_id": bot.traceID, "bot_id": botID])
        }
        publish(BotCommand.leave, to: botID)
    }

    /// Publishes a command to a bot. The node has done so too, and it is said again at the next renewal if nobody
    /// listened; bots take no harm from hearing it twice.
    private func publish(_ message: String, to botID: String, configuration version: Int? = nil) {
        guard let number = bots[botID]?.meeting?.number else { return }
        Task(executorPreference: loop) { [self] in
            let command = Command("PUBLISH", WireNames.commandChannel(number), message)
            guard let heard = try? await client.send(command, deadline: soon), let version, heard != .integer(0) else {
                return
            }
            leases.hasReconfigured(botID, version: version)
        }
    }
}
