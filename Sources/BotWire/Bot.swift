/// A bot in a process of its own.
public protocol Bot: AnyObject, Sendable {
    /// Lives the bot's whole life, on its loop. To be called once.
    /// - Returns: the exit code.
    func run() async -> Int32

    /// Asks it to leave, as SIGTERM does. To be called on its loop.
    func stop()
}
