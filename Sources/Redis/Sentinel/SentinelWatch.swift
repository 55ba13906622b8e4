import EventLoop
import Log
import Synchronization

/// Knows the primary of a service: asks its Sentinels, and hears from each of them of a failover.
///
/// All clients and subscribers of one loop share it, so that Sentinels have few connections to bear.
///
/// `@unchecked Sendable`: belongs to the thread of its loop, and is only found by others.
final class SentinelWatch: @unchecked Sendable {
    private static let channel = "+switch-master"
    /// For what no Sentinel told of, or none was heard of.
    private static let askMilliseconds = 10_000
    /// How long the Sentinels have to answer; once one has, the others have this long to know better.
    private static let answerMilliseconds = 2_000
    private static let contradictionMilliseconds = 250

    private let service: SentinelService
    private let encryption: SentinelQuestion.Encryption
    private let loop: EventLoop
    private let logger: Logger
    private var subscribers: [Subscriber] = []
    private var observers: [ObjectIdentifier: (NodeAddress?) -> Void] = [:]
    private var known = KnownPrimary()
    private var question: SentinelQuestion?
    private var waiters: [(Result<NodeAddress, Target.Unresolved>) -> Void] = []
    private var timer: ScheduledTimer?

    private init(
        _ service: SentinelService, _ encryption: SentinelQuestion.Encryption, loop: EventLoop, logger: Logger
    ) {
        self.service = service
        self.encryption = encryption
        self.loop = loop
        self.logger = logger
    }

    // MARK: Sharing

    private struct Place: Hashable {
        let loop: ObjectIdentifier
        let service: String
        let tls: ObjectIdentifier?
        let isEncrypted: Bool
    }

    private struct Shared {
        weak var watch: SentinelWatch?
    }

    private static let all = Mutex<[Place: Shared]>([:])

    /// The one of this loop and service.
    static func shared(
        _ service: SentinelService, _ encryption: SentinelQuestion.Encryption, loop: EventLoop, logger: Logger
    ) -> SentinelWatch {
        let sentinels = service.sentinels.map(\.description).joined(separator: ",")
        let place = Place(
            loop: ObjectIdentifier(loop), service: "\(sentinels)/\(service.name)",
            tls: encryption.isWanted ? encryption.tls.map { ObjectIdentifier($0) } : nil,
            isEncrypted: encryption.isWanted)
        return all.withLock { all in
            // It keeps its loop alive: no other loop can have this one's place.
            if let watch = all[place]?.watch { return watch }
            all = all.filter { $0.value.watch != nil }
            let watch = SentinelWatch(service, encryption, loop: loop, logger: logger)
            all[place] = Shared(watch: watch)
            return watch
        }
    }

    // MARK: Observers

    /// - Parameter onChange: called with each other primary, and with nil when the known one is it no more.
    func add(_ observer: AnyObject, onChange: @escaping (NodeAddress?) -> Void) {
        if observers.isEmpty { start() }
        observers[ObjectIdentifier(observer)] = onChange
    }

    /// Without observers nothing is asked or heard any more.
    func remove(_ observer: AnyObject) {
        guard observers.removeValue(forKey: ObjectIdentifier(observer)) != nil, observers.isEmpty else { return }
        timer?.cancel()
        for subscriber in subscribers { subscriber.shutDown() }
        subscribers = []
        question?.end()
        question = nil
        waiters = []
    }

    private func start() {
        scheduleQuestion()
        subscribers = service.sentinels.map { sentinel in
            let subscriber = Subscriber(
                loop: loop, configuration: SentinelQuestion.configuration(of: service, at: sentinel, encryption),
                logger: logger
            ) { [weak self] in self?.take($0) }
            subscriber.subscribe(to: Self.channel)
            subscriber.start()
            return subscriber
        }
    }

    private func take(_ event: SubscriberEvent) {
        switch event {
        // What was said before was not heard.
        case .subscribed: if known.address != nil { ask() }
        case .lost: break
        case .message(_, let payload):
            // <service> <old host> <old port> <new host> <new port>
            let words = payload.split(separator: " ").map(String.init)
            guard words.count == 5, words[0] == service.name, let port = UInt16(words[2]) else { return }
            let former = known.address
            known.leave(NodeAddress(host: words[1], port: port))
            tell(former)
            // What a Sentinel answered before this would be heard as if all agreed on the former primary.
            question?.end()
            question = nil
            ask()
        }
    }

    private func tell(_ former: NodeAddress?) {
        guard known.address != former else { return }
        let primary = known.address.map { "\($0)" } ?? "being changed"
        logger.info(
            "The primary, as the Sentinels tell",
            ["service": service.name, "primary": primary, "loop": loop.name])
        for onChange in observers.values { onChange(known.address) }
    }

    // MARK: Questions

    /// Asks all Sentinels for the primary.
    /// - Parameter completion: called once, on the loop's thread, perhaps at once.
    func findPrimary(_ completion: @escaping (Result<NodeAddress, Target.Unresolved>) -> Void) {
        waiters.append(completion)
        ask()
    }

    private func ask() {
        guard question == nil else { return }
        let question = SentinelQuestion(
            service, encryption, loop: loop, answerMilliseconds: Self.answerMilliseconds,
            contradictionMilliseconds: Self.contradictionMilliseconds)
        self.question = question
        question.ask { [weak self] claims, problem in self?.take(claims, problem) }
    }

    private func take(_ claims: [PrimaryClaim], _ problem: String) {
        question = nil
        let former = known.address
        let waiters = self.waiters
        self.waiters = []
        let result: Result<NodeAddress, Target.Unresolved>
        if known.take(claims, asked: service.sentinels.count), let address = known.address {
            result = .success(address)
        } else if let newest = claims.map(\.epoch).max() {
            result = .failure(
                Target.Unresolved(
                    reason: "the Sentinels that answer tell of an older primary (epoch \(newest)) than is known "
                        + "(epoch \(known.epoch))"))
        } else {
            result = .failure(Target.Unresolved(reason: "no Sentinel tells of \(service.name): \(problem)"))
        }
        tell(former)
        for waiter in waiters { waiter(result) }
        if !observers.isEmpty { scheduleQuestion() }
    }

    private func scheduleQuestion() {
        timer?.cancel()
        let pause = Int.random(in: Self.askMilliseconds / 2...Self.askMilliseconds)
        timer = loop.schedule(afterMilliseconds: pause) { [weak self] in self?.ask() }
    }
}
