import AttendingBot
import Glibc

/// `usher attend`: one bot in the foreground that attends a meeting in a browser, until it has left it.
enum AttendCommand {
    /// Where Chromium and Chrome are found, best first: the programs themselves before the scripts that start them.
    static let browserPaths = [
        "/usr/lib/chromium/chromium", "/usr/lib/chromium-browser/chromium-browser", "/opt/google/chrome/chrome",
        "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome",
    ]

    /// The variables by which a bot is told how to attend.
    static let variables = "USHER_LAB,USHER_CHROMIUM,USHER_PLATFORMS,USHER_SCREENSHOTS,USHER_ATTEND*,TMPDIR"

    /// Where the browsers' profiles are made.
    private static func folder(_ environment: [String: String]) -> String {
        environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
    }

    /// Removes the profile of a bot that was killed.
    static func cleanUp(_ environment: [String: String]) -> String {
        let profile = folder(environment).replacing("'", with: "'\\''") + "/usher-attend-{bot_id}"
        return "rm -rf '\(profile)' '\(profile).lock'"
    }

    /// - Returns: 0 left when it was to leave, 1 failed, 2 its configuration is refused or there is no browser.
    static func run(_ settings: Settings, environment: [String: String]) -> Int32 {
        do throws(UsageError) {
            var attending = settings.attending
            attending.browserPath = try browserPath(settings)
            attending.folder = folder(environment)
            if let profile = attending.profileFolder, access(profile, R_OK | X_OK) != 0 {
                throw UsageError("\(Setting[\.attendProfile].flag) names \(quoted(profile)), which cannot be read.")
            }
            try settings.makeTLS()
            return BotProcess.run("attending bot", name: "attending-bot", environment: environment) { surroundings in
                try AttendingBot(
                    loop: surroundings.loop, configuration: surroundings.configuration, settings: attending,
                    redisTLS: settings.redisTLS,
                    trace: surroundings.trace, segmentsURL: surroundings.segmentsURL,
                    recordingPath: surroundings.recordingPath, logger: settings.logger)
            }
        } catch {
            Terminal.complain(error.description)
            return 2
        }
    }

    /// - Throws: `UsageError` that tells how to install one.
    static func browserPath(_ settings: Settings) throws(UsageError) -> String {
        let paths = settings.chromium.map { [$0] } ?? browserPaths
        if let path = paths.first(where: { access($0, X_OK) == 0 }) { return path }
        let place = settings.chromium.map { "at \(quoted($0))" } ?? "where it usually is"
        throw UsageError(
            "There is no Chromium \(place), and bots that attend need one: install it with `apt-get install chromium`, or "
                + "name the program of another Chromium or Chrome with \(Setting[\.chromium].flag).")
    }
}
