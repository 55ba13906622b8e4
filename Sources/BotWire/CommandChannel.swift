import EventLoop
import Log
import Redis

/// What a bot is told to do, from the channel of its meeting (docs/bot-wire.md, "Commands"). What is no command, or an
/// unknown one, is told in the log alone. Belongs to its loop's thread.
public final class CommandChannel {
    /// How long a bot waits for it before it reports, in ms.
    private static let patienceMilliseconds = 2_000

    private let meeting: Int?
    private let bot: String
    private let logger: Logger
    private let isListening: Signal<Void>
    private let obey: (BotCommand) -> Void
    private var subscriber: Subscriber?

    /// - Parameters:
    ///   - meeting: its number; nil: there is no channel.
    ///   - bot: whom the log names.
    ///   - obey: called on the loop's thread with each command to leave or to reconfigure.
    public init(
        loop: EventLoop, redis: ClientConfiguration, meeting: Int?, bot: String, logger: Logger,
        obey: @escaping (BotCommand) -> Void
    ) {
        (self.meeting, self.bot, self.logger, self.obey) = (meeting, bot, logger, obey)
        isListening = Signal(loop: loop)
        subscriber = Subscriber(loop: loop, configuration: redis, logger: logger) { [weak self] in self?.hear($0) }
    }

    /// Returns once it is heard, or has not been for long: then it is as soon as Redis is there.
    public func listen() async {
        guard let meeting else { return }
        subscriber?.subscribe(to: "bot_commands:meeting:\(meeting)")
        subscriber?.start()
        if await isListening.wait(milliseconds: Self.patienceMilliseconds) == nil {
            logger.warning("No channel for commands yet; going on", ["bot_id": bot])
        }
    }

    public func close() {
        subscriber?.shutDown()
    }

    private func hear(_ event: SubscriberEvent) {
        switch event {
        case .subscribed: isListening.raise(())
        case .lost: break
        case .message(_, let payload):
            switch BotCommand(payload) {
            case .other(let action): logger.info("Ignoring a command", ["bot_id": bot, "action": action])
            case nil: logger.warning("Ignoring a message that is no command", ["bot_id": bot])
            case let command?: obey(command)
            }
        }
    }
}
