import Redis
import Scripts

/// What a lease renewal says about a bot.
public enum Renewal: Equatable, Sendable {
    /// The lease is not this runner's any more: the bot must be gone by the deadline that it was last given.
    ///
    /// Or Redis knows nothing of a claim, since a replica that lacks it has become the primary. That bot is ended too, by
    /// this very renewal, and is not given its room back where that is free: what the replica lacks of the claim it
    /// lacks of the reports as well, so the bot would be in its room while the record has it on its way, or has none
    /// that a user could stop it by. If the dispatch is still there, it sends another one, which tells all from the
    /// beginning.
    case refused
    case granted(Wanted)
}

/// What is wanted of a bot that runs.
public struct Wanted: Equatable, Sendable {
    /// Whether it is to leave.
    public let leaves: Bool
    /// Grows with each change of the following.
    public let configurationVersion: Int
    public let language: String?
    public let task: String?
    public let botName: String?
    /// Whether it has been in the room.
    public let wasInRoom: Bool
}

extension Bots {
    /// Renews the leases of a runner's bots in one partition, in one script.
    /// - Returns: what is wanted of each, in the order of `bots`.
    public func renew(bots: [String], in partition: Partition, runner: String) async throws(RedisError) -> [Renewal] {
        let reply = try await session.run(
            Scripts.Renew(
                leasesKey: partition.leases, primaryKey: partition.primary, botKeys: bots.map(partition.bot),
                runner: runner,
                leaseMilliseconds: session.configuration.leaseTimeToLiveMilliseconds, botIDs: bots))
        guard case .renewed(let answers) = reply else { return bots.map { _ in .refused } }
        guard answers.count == bots.count else { throw .unexpectedReply("renew answered for \(answers.count) bots") }
        var renewals: [Renewal] = []
        for answer in answers {
            let parts = try answer.arrayOrThrow()
            guard parts.count == 6, let desired = parts[0].string, let version = parts[1].integer else {
                renewals.append(.refused)
                continue
            }
            func text(_ index: Int) -> String? { parts[index].string.flatMap { $0.isEmpty ? nil : $0 } }
            renewals.append(
                .granted(
                    Wanted(
                        leaves: desired != "run", configurationVersion: version, language: text(2), task: text(3),
                        botName: text(4), wasInRoom: parts[5] == .integer(1))))
        }
        return renewals
    }
}
