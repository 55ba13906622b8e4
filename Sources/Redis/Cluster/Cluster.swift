import EventLoop
import Log

/// A Redis Cluster as one client sees it: the map of which primary serves which slot, and a link to each primary that
/// commands were for. Belongs to its loop's thread.
///
/// The map is asked for at the start, when a node answers that a slot is another's, when nobody serves a slot, while a
/// primary does not answer, and now and then all the same. A command that a node did not run, and said so, is sent again
/// until its deadline; one whose answer is lost is not.
final class Cluster {
    private static let refreshMilliseconds = 10_000
    /// Between two questions for the map while it is known to be wrong.
    private static let repairMilliseconds = 100

    private let loop: EventLoop
    private let configuration: ClientConfiguration
    private let logger: Logger
    /// What the URL names: asked for the map until another node is known, and again when none of those is there.
    private let seeds: [NodeAddress]
    /// More than one to a node only for blocking reads.
    private var links: [NodeAddress: [Link]] = [:]
    private var map: SlotMap?
    private var isMapAsked = false
    private var isRepairDue = false
    private var askedAt = MonotonicTime(nanoseconds: 0)
    private var isShutDown = false
    private var refreshTimer: ScheduledTimer?
    private var loggedProblem: String?
    /// Why the map could not be had, or a node could not be reached last; nil while the cluster can be asked.
    private(set) var problem: String?

    /// By the script's name: the SHA-1 of its text, which is the same on every node.
    private(set) var scriptHashes: [String: String] = [:]

    /// Called when the map is known for the first time, and at each login that is refused before.
    var onLogin: ((Client.LoginOutcome) -> Void)?

    init(seeds: [NodeAddress], loop: EventLoop, configuration: ClientConfiguration, logger: Logger) {
        self.seeds = seeds
        self.loop = loop
        self.configuration = configuration
        self.logger = logger
    }

    func start() {
        for seed in seeds { _ = link(to: seed) }
    }

    func shutDown() {
        isShutDown = true
        onLogin = nil
        refreshTimer?.cancel()
        let links = self.links.values.joined()
        self.links = [:]
        for link in links { link.shutDown() }
    }

    /// Whether the map is known and some node can be asked.
    var isReady: Bool { map != nil && links.keys.contains(where: isReady) }

    var primaries: [NodeAddress] { map?.primaries ?? [] }

    // MARK: Commands

    /// - Parameter areDependent: each command rests on those before it, and all are for the same slot: none is sent again
    ///   when a later one has run.
    func submit(
        _ commands: [Command], areDependent: Bool, isChange: ((Value) -> Bool)?, deadline: MonotonicTime,
        completion: @escaping (Result<[Value], RedisError>) -> Void
    ) {
        let call = ClusterCall(
            commands, areDependent: areDependent, isChange: isChange, deadline: deadline, completion: completion)
        send(call, call.commands.indices.map { .init(index: $0) })
    }

    /// Whether the first connection to a node is under way; begins it if need be.
    func isConnecting(to address: NodeAddress) -> Bool {
        if !isShutDown, case .new = link(to: address).state { true } else { false }
    }

    /// Sends commands to one node, whatever slots that serves.
    func submit(
        _ commands: [Command], to address: NodeAddress, deadline: MonotonicTime,
        completion: @escaping (Result<[Value], RedisError>) -> Void
    ) {
        guard !isShutDown else { return completion(.failure(.notConnected)) }
        link(to: address).submit(commands, deadline: deadline, completion: completion)
    }

    /// Sends some of a call's commands, to each node in one write.
    private func send(_ call: ClusterCall, _ parts: [ClusterCall.Part]) {
        var groups: [(link: Link, address: NodeAddress, parts: [ClusterCall.Part])] = []
        for part in parts {
            guard let address = part.askedOf ?? owner(of: call.commands[part.index]) else {
                repairMap()
                return call.couldNotSend(parts)
            }
            if let index = groups.firstIndex(where: { $0.address == address }) {
                groups[index].parts.append(part)
            } else {
                groups.append((link(to: address), address, [part]))
            }
        }
        // Before anything is sent: then nothing of it has run.
        for group in groups {
            switch group.link.state {
            case .ready: break
            case .new: return sendLater(call, parts)
            case .failed: return call.couldNotSend(parts)
            }
        }
        call.openGroups = groups.count
        for group in groups {
            group.link.submit(call.written(group.parts), isChange: call.isChange, deadline: call.deadline) {
                [weak self] result in
                call.take(result, to: group.parts, from: group.address)
                if call.openGroups == 0 { self?.go(on: call) }
            }
        }
    }

    /// After all answers of a round: what was not run is sent again.
    private func go(on call: ClusterCall) {
        let redirected = call.takeRedirected()
        guard call.failure == nil, !redirected.isEmpty, !isShutDown else { return call.finish() }
        var isPauseNeeded = call.rounds > 4
        // Dependent commands stay in order only if all of them go to one node.
        if call.areDependent, redirected.contains(where: { $0.1 != redirected[0].1 }) { isPauseNeeded = true }
        var parts: [ClusterCall.Part] = []
        for (index, redirection) in redirected {
            var part = ClusterCall.Part(index: index)
            switch redirection {
            case .moved(let slot, let address):
                map?.assign(slot, to: address)
                repairMap()
            case .ask(let address):
                part.askedOf = address
            case .later:
                isPauseNeeded = true
                repairMap()
            }
            parts.append(part)
        }
        if isPauseNeeded {
            // Where each belongs is looked up again: meanwhile a move may have ended.
            sendLater(call, parts.map { .init(index: $0.index) })
        } else {
            send(call, parts)
        }
    }

    private func sendLater(_ call: ClusterCall, _ parts: [ClusterCall.Part]) {
        let ceiling = 10 << min(call.rounds, 4)
        let time = loop.now.advanced(byMilliseconds: Int.random(in: ceiling / 2...ceiling))
        guard time < call.deadline else { return call.couldNotSend(parts) }
        call.rounds += 1
        loop.schedule(at: time) { [weak self] in
            guard let self, !isShutDown else { return call.couldNotSend(parts) }
            send(call, parts)
        }
    }

    private func owner(of command: Command) -> NodeAddress? {
        guard let map else { return nil }
        if let slot = command.slot { return map.primary(of: slot) }
        return map.primaries.filter(isReady).randomElement() ?? map.primaries.first
    }

    // MARK: Links

    private func isReady(_ address: NodeAddress) -> Bool {
        links[address]?.contains(where: \.isReady) ?? false
    }

    private func link(to address: NodeAddress) -> Link {
        let known = links[address] ?? []
        if !configuration.isForBlockingReads, let link = known.first { return link }
        if let link = known.first(where: { $0.isReady && $0.isIdle }) ?? known.first(where: \.isIdle) { return link }
        var configuration = configuration
        configuration.url.location = .tcp(host: address.host, port: address.port)
        let link = Link(loop: loop, configuration: configuration, logger: logger)
        links[address, default: []].append(link)
        link.onLogin = { [weak self, weak link] outcome in
            guard let self, let link else { return }
            switch outcome {
            case .ready:
                scriptHashes = link.scriptHashes
                if map == nil { askForMap() }
            case .refused:
                if map == nil { onLogin?(outcome) }
            }
        }
        link.onFailure = { [weak self, weak link] in
            guard let self else { return }
            if let reason = link?.problem { problem = "\(address): \(reason)" }
            repairMap()
        }
        link.start()
        return link
    }

    // MARK: The map

    /// Asks for the map now, or a moment after it was asked for last.
    private func repairMap() {
        guard !isRepairDue, !isShutDown else { return }
        if loop.now.milliseconds(since: askedAt) >= Self.repairMilliseconds { return askForMap() }
        isRepairDue = true
        scheduleRefresh(afterMilliseconds: Self.repairMilliseconds)
    }

    private func askForMap() {
        guard !isMapAsked, !isShutDown else { return }
        let answering = links.flatMap { address, links in
            links.filter { $0.isReady && (!configuration.isForBlockingReads || $0.isIdle) }.map { (address, $0) }
        }
        guard let (address, link) = answering.randomElement() else {
            // None of the nodes that are known can be asked.
            for seed in seeds { _ = self.link(to: seed) }
            return scheduleRefresh(afterMilliseconds: Self.repairMilliseconds)
        }
        isMapAsked = true
        isRepairDue = false
        askedAt = loop.now
        refreshTimer?.cancel()
        let deadline = loop.now.advanced(byMilliseconds: configuration.connectTimeoutMilliseconds)
        link.submit([Command("CLUSTER", "SLOTS")], deadline: deadline) { [weak self] result in
            guard let self, !isShutDown else { return }
            isMapAsked = false
            do throws(RedisError) {
                adopt(try SlotMap(try result.get()[0], toldBy: address.host))
            } catch {
                hasNoMap("\(error)")
            }
        }
    }

    private func hasNoMap(_ reason: String) {
        problem = reason
        if reason != loggedProblem {
            loggedProblem = reason
            logger.warning("No map of the Redis Cluster; trying again", ["reason": reason, "loop": loop.name])
        }
        // Such as a Redis that is no cluster: nothing but another URL would help.
        if map == nil, reason.contains("cluster support disabled") { onLogin?(.refused(reason)) }
        scheduleRefresh(afterMilliseconds: Self.repairMilliseconds)
    }

    private func adopt(_ new: SlotMap) {
        loggedProblem = nil
        problem = nil
        let isFirst = map == nil
        map = new
        // Those that serve nothing any more; one that still owes an answer goes next time.
        for (address, links) in links where !new.primaries.contains(address) && links.allSatisfy(\.isIdle) {
            self.links[address] = nil
            for link in links { link.shutDown() }
        }
        if isFirst { onLogin?(.ready) }
        let isWrong = !new.isWhole || new.primaries.contains { links[$0]?.contains(where: \.hasFailed) ?? false }
        scheduleRefresh(afterMilliseconds: isWrong || isRepairDue ? Self.repairMilliseconds : Self.refreshMilliseconds)
    }

    private func scheduleRefresh(afterMilliseconds milliseconds: Int) {
        refreshTimer?.cancel()
        let jittered = Int.random(in: milliseconds / 2...milliseconds)
        refreshTimer = loop.schedule(afterMilliseconds: jittered) { [weak self] in self?.askForMap() }
    }
}
