import Usher

/// What a lease keeper wants done.
enum LeaseAction: Equatable, Sendable {
    /// Pass the new deadline to the bot's supervisor.
    case extend(bot: String, BootTime)
    /// Tell the bot to leave, also if it was told before: it may have missed it.
    case tellToLeave(bot: String)
    /// Tell the bot its configuration, which has changed.
    case reconfigure(bot: String, Wanted)
    /// SIGTERM to the bot's group, and SIGKILL after the grace.
    case end(bot: String, graceMilliseconds: Int)
    /// The bot has not come into its room in its time: as `end`.
    case giveUp(bot: String, graceMilliseconds: Int)
    /// The lease is refused: SIGKILL at once.
    case kill(bot: String)
    /// The deadline has passed, and the supervisor should have ended the bot: do it in its place.
    case overdue(bot: String)
}

/// Renewals that go to one partition in one call.
struct LeaseRenewal: Equatable, Sendable {
    let partition: Partition
    let bots: [String]
    /// Read before the call is sent: what the deadlines count from.
    let sentAt: BootTime
}

/// Keeps the leases of a runner's bots: when to renew, what follows from the answers, and when patience ends.
/// It does nothing itself and reads no clock.
struct LeaseKeeper {
    private struct Lease {
        let partition: Partition
        var deadline: BootTime
        /// Whether the supervisor has confirmed the last deadline. One that does not answer cannot end its bot, so the
        /// lease is not renewed for it.
        var isConfirmed = false
        /// nil while a renewal is under way, and once the lease is lost.
        var renewalTime: BootTime?
        /// The last configuration that the bot was told.
        var configurationVersion = 0
        var wasInRoom = false
        /// When a bot that has not been in its room is given up: one that hangs would hold the room for ever.
        let joinDeadline: BootTime
        var isLeaving = false
        /// When a bot that was told to leave gets SIGTERM.
        var endTime: BootTime?
        var isOverdue = false
    }

    /// Keeps a script's run short: other callers of Redis wait for it.
    static let maximumBotsPerRenewal = 500

    private let timing: LeaseTiming
    private var leases: [String: Lease] = [:]

    init(timing: LeaseTiming) {
        self.timing = timing
    }

    // MARK: Bots

    /// Takes on a bot that was claimed by a call sent at `time`.
    /// - Parameter waitingRoomTimeout: how long it was asked to wait to be let in, if it was: it is not given up before.
    /// - Returns: its first deadline.
    mutating func add(
        _ bot: String, in partition: Partition, claimedAt time: BootTime, waitingRoomTimeout: Int? = nil
    ) -> BootTime {
        let deadline = timing.deadline(renewedAt: time)
        leases[bot] = Lease(
            partition: partition, deadline: deadline, renewalTime: time.advanced(byMilliseconds: timing.interval),
            joinDeadline: time.advanced(byMilliseconds: timing.joinLimit(waitingRoomTimeout: waitingRoomTimeout)))
        return deadline
    }

    mutating func remove(_ bot: String) {
        leases[bot] = nil
    }

    /// The supervisor goes by this deadline.
    mutating func confirm(_ bot: String, _ deadline: BootTime) {
        if leases[bot]?.deadline == deadline { leases[bot]?.isConfirmed = true }
    }

    func deadline(of bot: String) -> BootTime? { leases[bot]?.deadline }

    /// Whether the bot has been in its room, by the last answer.
    func wasInRoom(_ bot: String) -> Bool { leases[bot]?.wasInRoom == true }

    /// Lets a bot leave as if its stop had been asked.
    mutating func letLeave(_ bot: String, now: BootTime) -> [LeaseAction] {
        [.tellToLeave(bot: bot)] + beginLeaving(bot, now: now)
    }

    // MARK: Renewals

    /// Makes the renewals of these bots due at once.
    mutating func hasten(_ bots: some Sequence<String>, now: BootTime) {
        for bot in bots where leases[bot]?.renewalTime != nil { leases[bot]?.renewalTime = now }
    }

    /// The renewals that are to be sent now. Each must be answered by `take` or `fail`.
    mutating func dueRenewals(now: BootTime) -> [LeaseRenewal] {
        // Those that are due before half an interval go with the others of their partition, so that they stay together.
        let horizon = now.advanced(byMilliseconds: timing.interval / 2)
        var due: Set<Int> = []
        var ready: [Int: [String]] = [:]
        for (bot, lease) in leases {
            guard let time = lease.renewalTime, time <= horizon else { continue }
            if lease.deadline <= now {
                leases[bot]?.renewalTime = nil
            } else if lease.isConfirmed {
                ready[lease.partition.number, default: []].append(bot)
                if time <= now { due.insert(lease.partition.number) }
            } else if time <= now {
                leases[bot]?.renewalTime = now.advanced(byMilliseconds: timing.retry)
            }
        }
        var renewals: [LeaseRenewal] = []
        for number in due.sorted() {
            var bots = ready[number, default: []].sorted()[...]
            for bot in bots { leases[bot]?.renewalTime = nil }
            while !bots.isEmpty {
                let part = Array(bots.prefix(Self.maximumBotsPerRenewal))
                renewals.append(LeaseRenewal(partition: Partition(number: number), bots: part, sentAt: now))
                bots = bots.dropFirst(part.count)
            }
        }
        return renewals
    }

    /// Takes in what Redis answered.
    mutating func take(_ answers: [Renewal], to renewal: LeaseRenewal, now: BootTime) -> [LeaseAction] {
        var actions: [LeaseAction] = []
        for (bot, answer) in zip(renewal.bots, answers) where leases[bot] != nil {
            switch answer {
            case .refused: actions.append(.kill(bot: bot))
            case .granted(let wanted): actions += extend(bot, renewal, wanted, now: now)
            }
        }
        return actions
    }

    /// The outcome is unknown: the deadlines stay, and the renewal is sent again soon.
    mutating func fail(_ renewal: LeaseRenewal, now: BootTime) {
        for bot in renewal.bots { leases[bot]?.renewalTime = now.advanced(byMilliseconds: timing.retry) }
    }

    private mutating func extend(
        _ bot: String, _ renewal: LeaseRenewal, _ wanted: Wanted, now: BootTime
    ) -> [LeaseAction] {
        let deadline = timing.deadline(renewedAt: renewal.sentAt)
        leases[bot]?.deadline = deadline
        leases[bot]?.isConfirmed = false
        leases[bot]?.renewalTime = renewal.sentAt.advanced(byMilliseconds: timing.interval)
        leases[bot]?.wasInRoom = wanted.wasInRoom
        var actions: [LeaseAction] = [.extend(bot: bot, deadline)]
        if wanted.leaves || leases[bot]?.isLeaving == true {
            actions.append(.tellToLeave(bot: bot))
            actions += beginLeaving(bot, now: now)
        } else if !wanted.wasInRoom, let joinDeadline = leases[bot]?.joinDeadline, joinDeadline <= now {
            leases[bot]?.isLeaving = true
            actions.append(.giveUp(bot: bot, graceMilliseconds: timing.killGrace))
        } else if let version = leases[bot]?.configurationVersion, wanted.configurationVersion > version {
            actions.append(.reconfigure(bot: bot, wanted))
        }
        return actions
    }

    /// A message of this version has reached the bot.
    mutating func hasReconfigured(_ bot: String, version: Int) {
        leases[bot]?.configurationVersion = version
    }

    /// One that is not in the room yet leaves nothing behind there, so it is not waited for: it must not enter.
    private mutating func beginLeaving(_ bot: String, now: BootTime) -> [LeaseAction] {
        guard let lease = leases[bot], !lease.isLeaving else { return [] }
        leases[bot]?.isLeaving = true
        guard lease.wasInRoom else { return [.end(bot: bot, graceMilliseconds: timing.killGrace)] }
        leases[bot]?.endTime = now.advanced(byMilliseconds: timing.leaveGrace)
        return []
    }

    // MARK: Time

    /// When something is due next, by the clock alone.
    var nextTime: BootTime? {
        var times: [BootTime] = []
        for lease in leases.values {
            if let time = lease.renewalTime { times.append(time) }
            if let time = lease.endTime { times.append(time) }
            if !lease.isOverdue { times.append(overdueTime(lease)) }
        }
        return times.min()
    }

    /// What is due by the clock alone, besides renewals.
    mutating func dueActions(now: BootTime) -> [LeaseAction] {
        var actions: [LeaseAction] = []
        for (bot, lease) in leases {
            if let time = lease.endTime, time <= now {
                leases[bot]?.endTime = nil
                actions.append(.end(bot: bot, graceMilliseconds: timing.killGrace))
            }
            if !lease.isOverdue, overdueTime(lease) <= now {
                leases[bot]?.isOverdue = true
                actions.append(.overdue(bot: bot))
            }
        }
        return actions
    }

    /// A supervisor gets half of the margin for what it does at the deadline.
    private func overdueTime(_ lease: Lease) -> BootTime {
        lease.deadline.advanced(byMilliseconds: timing.margin / 2)
    }
}
