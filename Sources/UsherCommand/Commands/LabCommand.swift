import EventLoop
import HTTP
import Lab
import Log
import Processes

/// `usher lab`: meetings of our own on this machine, for trying bots that attend, until a signal stops it.
enum LabCommand {
    /// Whoever reaches it may do anything in it.
    private static let host = "127.0.0.1"

    /// - Returns: 0 after a stop, 1 if it could not start.
    static func run(_ settings: Settings) -> Int32 {
        do {
            let signals = try StopSignals()
            let loop = try EventLoop(name: "lab")
            try loop.start()
            defer {
                loop.stop()
                loop.join()
            }
            let listener = try Listener.bind(host: host, port: settings.labPort, reusesPort: false)
            var configuration = HTTPConfiguration()
            // What browsers say of their connections to one another is long.
            configuration.limits.bodyBytes = 1 << 20
            configuration.maximumConnections = 1_000
            let lab = Lab(loop: loop, folder: settings.labFiles)
            let server = HTTP.Server(
                loop: loop, configuration: configuration, router: lab.router, logger: Logger(minimum: .error))
            try MainThread.run(on: loop) { try await server.start(listener) }
            Terminal.say("http://\(host):\(listener.port)")
            _ = waitUntilReadable([signals.descriptor], deadline: nil)
            _ = try MainThread.run(on: loop) { await server.drain(deadline: .now()) }
            return 0
        } catch {
            Terminal.complain("\(error)")
            return 1
        }
    }
}
