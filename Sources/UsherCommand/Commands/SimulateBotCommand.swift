import SimulatedBot

/// `usher simulate-bot`: one simulated bot in the foreground, until it has left its meeting.
enum SimulateBotCommand {
    /// - Returns: 0 left when it was to leave, 1 failed, 2 its configuration is refused, 70 crashed as it was told.
    static func run(_ settings: Settings, environment: [String: String]) -> Int32 {
        var simulation = Simulation()
        settings.set(&simulation)
        do throws(UsageError) {
            try settings.makeTLS()
        } catch {
            Terminal.complain(error.description)
            return 2
        }
        return BotProcess.run("simulated bot", name: "simulated-bot", environment: environment) {
            [simulation] surroundings in
            try SimulatedBot(
                loop: surroundings.loop, configuration: surroundings.configuration, simulation: simulation,
                redisTLS: settings.redisTLS, trace: surroundings.trace, segmentsURL: surroundings.segmentsURL,
                logger: settings.logger)
        }
    }
}
