import EventLoop
import Glibc
import Log
import Node
import Processes
import Redis
import Synchronization

/// `usher serve`: one node in the foreground, until a signal stops it.
enum ServeCommand {
    /// - Returns: 0 after a stop in good order, 1 if it could not start, 2 if a setting names what cannot be used.
    static func run(_ settings: Settings) -> Int32 {
        let logger = settings.logger
        do {
            // First of all, before any thread could get the signals in the ordinary way.
            let signals = try StopSignals()
            _ = ProcessLimits.raiseOpenFiles()
            Machine.keepFreedMemory()
            try settings.checkRecordings(R_OK)
            let node = try Node(settings.nodeConfiguration(RedisURL(settings.redisURL)), logger: logger)
            for port in try node.start() {
                logger.info(
                    "Listening",
                    [
                        "host": port.host, "port": String(port.port),
                        "loops": String(port.isExclusive ? 1 : settings.loops), "serves": port.serves,
                    ])
            }
            if let refusal = try waitForStop(of: node, signals) {
                Terminal.complain("Redis refuses this node: \(refusal)", in: logger)
                return 1
            }
            serveOn(node, settings, signals, logger)
            logger.info("Stopping: answering what is under way")
            let cut = node.stop()
            logger.info("Stopped", ["connections_cut": String(cut)])
            return 0
        } catch let error as UsageError {
            Terminal.complain(error.description, in: logger)
            return 2
        } catch {
            Terminal.complain("\(error)", in: logger)
            return 1
        }
    }

    /// Waits for a stop signal, or for Redis to refuse the first login.
    /// - Returns: what Redis said if it refused: a wrong password, or a script that does not load.
    private static func waitForStop(of node: Node, _ signals: StopSignals) throws -> String? {
        let refused = try MainThread.Flag()
        let refusal = Refusal()
        Task {
            if let text = await node.refusalOfLogin() {
                refusal.text.withLock { $0 = text }
                refused.raise()
            }
        }
        _ = waitUntilReadable([signals.descriptor, refused.descriptor], deadline: nil)
        return refusal.text.withLock { $0 }
    }

    /// After SIGTERM, serves on for the drain delay or until another signal comes. Who presses Ctrl-C is at a terminal,
    /// and has no balancer to wait for.
    private static func serveOn(_ node: Node, _ settings: Settings, _ signals: StopSignals, _ logger: Logger) {
        let signal = signals.next()
        node.giveNotice()
        guard signal == SIGTERM, settings.drainDelayMilliseconds > 0 else { return }
        logger.info(
            "Stopping: not ready any more, and serving on",
            ["drain_delay_ms": String(settings.drainDelayMilliseconds)])
        _ = signals.wait(deadline: .now().advanced(byMilliseconds: settings.drainDelayMilliseconds))
    }

    private final class Refusal: Sendable {
        let text = Mutex<String?>(nil)
    }
}
