import EventLoop
import Log
import TLS

/// Asks all Sentinels of a service at once for its primary, each on a connection of its own that ends with the answer.
final class SentinelQuestion {
    private let service: SentinelService
    private let encryption: Encryption
    private let loop: EventLoop
    private let answerMilliseconds: Int
    private let contradictionMilliseconds: Int
    private var links: [Link] = []
    private var open = 0
    private var claims: [PrimaryClaim] = []
    private var problem = "none answers"
    private var timer: ScheduledTimer?
    private var completion: (([PrimaryClaim], String) -> Void)?

    /// How the connections to Sentinels are encrypted: as those to the primary.
    struct Encryption {
        let isWanted: Bool
        let tls: TLSContext?

        init(of configuration: ClientConfiguration) {
            isWanted = configuration.url.isEncrypted
            tls = configuration.tls
        }
    }

    /// - Parameters:
    ///   - answerMilliseconds: how long the first answer may take.
    ///   - contradictionMilliseconds: how long the others are waited for once there is one: it may be out of date.
    init(
        _ service: SentinelService, _ encryption: Encryption, loop: EventLoop, answerMilliseconds: Int,
        contradictionMilliseconds: Int
    ) {
        self.service = service
        self.encryption = encryption
        self.loop = loop
        self.answerMilliseconds = answerMilliseconds
        self.contradictionMilliseconds = contradictionMilliseconds
    }

    static func configuration(
        of service: SentinelService, at sentinel: NodeAddress, _ encryption: Encryption
    ) -> ClientConfiguration {
        var url = RedisURL(sentinel)
        url.isEncrypted = encryption.isWanted
        url.user = service.user
        url.password = service.password
        // Sentinels know no names of connections before 6.2.
        var configuration = ClientConfiguration(url: url, name: "")
        configuration.tls = encryption.tls
        return configuration
    }

    /// - Parameter completion: called once, with the answers and, if there are none, the last reason.
    func ask(_ completion: @escaping ([PrimaryClaim], String) -> Void) {
        self.completion = completion
        open = service.sentinels.count
        wait(milliseconds: answerMilliseconds)
        links = service.sentinels.map { sentinel in
            // What fails here is told as a whole.
            let link = Link(
                loop: loop, configuration: Self.configuration(of: service, at: sentinel, encryption),
                logger: Logger(minimum: .error))
            link.onLogin = { [weak self, weak link] outcome in
                guard let self, let link else { return }
                switch outcome {
                case .ready: ask(link, at: sentinel)
                case .refused(let text): isRefused("\(sentinel) says \(text)", by: link)
                }
            }
            link.onFailure = { [weak self, weak link] in
                if let self, let link { isRefused("\(sentinel) cannot be reached", by: link) }
            }
            return link
        }
        for link in links { link.start() }
    }

    /// Ends it without an answer.
    func end() {
        completion = nil
        finish()
    }

    private func ask(_ link: Link, at sentinel: NodeAddress) {
        let deadline = loop.now.advanced(byMilliseconds: answerMilliseconds)
        // In this order, the address is never older than the epoch. (MASTER itself tells of the former primary with the new
        // epoch until its Sentinel has turned all replicas to the new one.)
        let commands = [
            Command("SENTINEL", "MASTER", service.name),
            Command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", service.name),
        ]
        link.submit(commands, deadline: deadline) { [weak self] result in
            guard let self, completion != nil else { return }
            do throws(RedisError) {
                let replies = try result.get()
                claims.append(try PrimaryClaim(state: replies[0], address: replies[1]))
                if claims.count == 1 { wait(milliseconds: contradictionMilliseconds) }
            } catch {
                problem = "\(sentinel): \(error)"
            }
            isAnswered(by: link)
        }
    }

    private func isRefused(_ reason: String, by link: Link) {
        problem = reason
        isAnswered(by: link)
    }

    private func isAnswered(by link: Link) {
        guard completion != nil, let index = links.firstIndex(where: { $0 === link }) else { return }
        links.remove(at: index)
        // Not within one of its own callbacks.
        loop.atEndOfTurn { link.shutDown() }
        open -= 1
        if open == 0 { finish() }
    }

    private func wait(milliseconds: Int) {
        timer?.cancel()
        timer = loop.schedule(afterMilliseconds: milliseconds) { [weak self] in self?.finish() }
    }

    private func finish() {
        timer?.cancel()
        let links = self.links
        self.links = []
        let loop = loop
        loop.atEndOfTurn { for link in links { link.shutDown() } }
        let completion = self.completion
        self.completion = nil
        completion?(claims, problem)
    }
}
