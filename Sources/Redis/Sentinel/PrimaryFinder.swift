import EventLoop
import Log

/// Where a URL leads at the moment: its own address or, with Sentinels, that of the primary that they tell of. Belongs to
/// its loop's thread.
final class PrimaryFinder {
    private let url: RedisURL
    private let loop: EventLoop
    private let watch: SentinelWatch?
    /// What was found last.
    private var found: NodeAddress?

    /// Called when what was found is not the primary any more.
    var onSwitch: (() -> Void)?

    init(_ configuration: ClientConfiguration, loop: EventLoop, logger: Logger) {
        url = configuration.url
        self.loop = loop
        if case .sentinel(let service) = url.location {
            watch = SentinelWatch.shared(
                service, SentinelQuestion.Encryption(of: configuration), loop: loop, logger: logger)
        } else {
            watch = nil
        }
    }

    /// - Parameter completion: as that of `Target.resolve`.
    func find(_ completion: @escaping @Sendable (Result<[Target], Target.Unresolved>) -> Void) {
        guard let watch else { return Target.resolve(url, on: loop, completion: completion) }
        watch.add(self) { [weak self] address in
            guard let self, let found, found != address else { return }
            self.found = nil
            onSwitch?()
        }
        watch.findPrimary { [weak self] result in
            guard let self else { return }
            switch result {
            case .success(let address):
                found = address
                Target.resolve(RedisURL(address), on: loop, completion: completion)
            case .failure(let failure): completion(.failure(failure))
            }
        }
    }

    /// Nothing is found or told any more.
    func stop() {
        onSwitch = nil
        watch?.remove(self)
    }
}
