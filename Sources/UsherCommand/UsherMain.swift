import API
import Glibc
import Runner
import Usher

/// From the process' arguments and environment, each read once and here, to its exit code.
enum UsherMain {
    /// - Returns: 0 done, 1 failed, 2 not understood (nothing was started).
    static func run(arguments: [String], environment: [String: String]) -> Int32 {
        let reader = CommandLineReader(environment: environment)
        do throws(UsageError) {
            let invocation = try reader.read(arguments)
            switch invocation {
            case .supervise: return Supervisor.run()
            case .help(let topic):
                Terminal.say(String(Help.text(topic).dropLast()))
                return 0
            case .version:
                Terminal.say("usher \(usherVersion)")
                return 0
            case .openapi:
                Terminal.say(APIDescription.openAPI)
                return 0
            case .completion(let shell):
                Terminal.say(String(shell.script.dropLast()))
                return 0
            case .serve(let settings), .runner(let settings):
                for warning in reader.warnings { Terminal.warn(warning, in: settings.logger) }
            case .up, .admin, .list, .act, .keys, .webhooks, .calendars, .checkCalendar, .export, .importing, .status,
                .watch, .doctor, .probe, .attend, .lab, .simulateBot:
                for warning in reader.warnings { Terminal.complain(warning) }
            }
            return switch invocation {
            case .serve(let settings): ServeCommand.run(settings)
            case .runner(let settings): RunnerCommand.run(settings, environment: environment)
            case .up(let settings): UpCommand.run(settings, environment: environment)
            case .admin(let settings, let request): AdminCommand.run(settings, request)
            case .list(let settings, let request, let limit, let asJSON):
                ListCommand.run(settings, request, limit: limit, asJSON: asJSON)
            case .act(let settings, let action, let link): BotActionCommand.run(settings, action, link)
            case .keys(let settings, let request): KeysCommand.run(settings, request)
            case .webhooks(let settings, let workspace): WebhooksCommand.run(settings, workspace: workspace)
            case .calendars(let settings, let workspace): CalendarsCommand.run(settings, workspace: workspace)
            case .checkCalendar(let file, let now, let asJSON):
                CalendarsCommand.check(file: file, now: now, asJSON: asJSON)
            case .export(let settings, let workspace, let file, let skipsRunning):
                ExportCommand.run(settings, workspace: workspace, file: file, skipsRunning: skipsRunning)
            case .importing(let settings, let file): ImportCommand.run(settings, file: file)
            case .status(let settings, let asJSON): StatusCommand.run(settings, asJSON: asJSON)
            case .watch(let settings, let filter): WatchCommand.run(settings, filter)
            case .doctor(let settings): DoctorCommand.run(settings)
            case .probe(let settings, let path): ProbeCommand.run(settings, path: path)
            case .attend(let settings): AttendCommand.run(settings, environment: environment)
            case .lab(let settings): LabCommand.run(settings)
            case .simulateBot(let settings): SimulateBotCommand.run(settings, environment: environment)
            case .help, .version, .supervise, .openapi, .completion: 0
            }
        } catch {
            Terminal.complain(error.description)
            return 2
        }
    }

    /// The environment of this process. Of a variable that is there twice the first counts, as it does for `getenv`.
    static func processEnvironment() -> [String: String] {
        var variables: [String: String] = [:]
        var next = environ
        while let entry = next.pointee {
            let text = String(cString: entry)
            next += 1
            guard let sign = text.firstIndex(of: "=") else { continue }
            let name = String(text[..<sign])
            if variables[name] == nil { variables[name] = String(text[text.index(after: sign)...]) }
        }
        return variables
    }
}
