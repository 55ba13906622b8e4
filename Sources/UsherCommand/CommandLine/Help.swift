import Metrics
import Node
import Runner
import SimulatedBot
import Usher

/// The texts of `usher help` and `--help`, generated from the tables so that they cannot be incomplete.
enum Help {
    static func text(_ topic: HelpTopic) -> String {
        switch topic {
        case .overview: overview
        case .command(let command): text(command)
        case .settings(markdown: false): "Settings of usher\n\n" + precedence + "\n" + Setting.all.map(entry).joined()
        case .settings(markdown: true): markdown
        case .metrics: metrics
        }
    }

    /// The table of docs/configuration.md.
    static var markdown: String {
        let rows = Setting.all.map { setting in
            let range =
                if case .number(let range, _) = setting.kind {
                    "\(range.lowerBound) to \(range.upperBound)"
                } else { setting.allowed }
            let isLiteral = if case .value = setting.defaultValue { true } else { false }
            let names =
                setting.isSecret
                ? ["`\(setting.variable)`, `\(setting.fileVariable)`", "`\(setting.flag)`, `\(setting.fileFlag)`"]
                : ["`\(setting.variable)`", "`\(setting.flag)`"]
            let cells =
                names + [
                    setting.meaning, setting.unit,
                    isLiteral ? "`\(setting.defaultText)`" : setting.defaultText, range, commandNames(setting),
                ]
            return "| " + cells.joined(separator: " | ") + " |\n"
        }
        return "| variable | flag | meaning | unit | default | allowed | commands |\n"
            + "| --- | --- | --- | --- | --- | --- | --- |\n" + rows.joined()
    }

    private static let precedence = wrapped(
        "Every setting is a flag (--port 8080, --port=8080) and an environment variable (USHER_PORT=8080). The flag "
            + "wins over the variable; an empty variable counts as absent. A secret may stand in a file of at most 64 KB, read "
            + "once at the start, which is named by a flag or variable of its own (--admin-key-file, "
            + "USHER_ADMIN_KEY_FILE).", indent: "")

    private static var overview: String {
        var text =
            "usher \(usherVersion): sends exactly one bot into each meeting\n\nUsage: usher COMMAND [SETTING]...\n\n"
        for command in Command.allCases where !command.isInternal {
            text += "  \(command.usage)\n" + wrapped(command.meaning, indent: "      ")
        }
        text += "  usher --version\n      Print the version.\n\n" + precedence + "\n"
        return text
            + wrapped(
                "`usher COMMAND --help` lists what a command takes, `usher help settings` lists all settings, and "
                    + "`usher help settings --markdown` prints them as the table in docs/configuration.md. Exit codes: "
                    + "0 done, 1 failed, 2 not understood.", indent: "")
    }

    /// What `GET /metrics` of nodes and runners shows.
    private static var metrics: String {
        func part(_ title: String, _ metrics: [Metric]) -> String {
            title + "\n\n"
                + metrics.map { metric in
                    let labels = metric.labels.isEmpty ? "" : "{\(metric.labels.joined(separator: ","))}"
                    return "  \(metric.name)\(labels) (\(metric.kind.rawValue))\n"
                        + wrapped(metric.help, indent: "      ")
                }.joined()
        }
        let onNodes = Set(Node.metrics.map(\.name))
        return part("Metrics of nodes", Node.metrics)
            + part(
                "\nMetrics of runners, besides those of Redis, HTTP and the process",
                Runner.shown.filter { !onNodes.contains($0.name) })
    }

    private static func text(_ command: Command) -> String {
        guard command != .help else { return overview }
        var text = "Usage: \(command.usage)\n\n" + wrapped(command.meaning, indent: "")
        if command == .admin {
            text += "\nActions\n\n"
            for action in AdminAction.allCases {
                text += wrapped(action.usage, indent: "  ") + wrapped(action.meaning + ".", indent: "      ")
            }
        }
        if command == .simulateBot {
            text += "\nBehaviours (\(Setting[\.simulatedBehaviours].flag))\n\n"
            for behaviour in Simulation.Behaviour.allCases {
                text += "  \(behaviour.rawValue)\n" + wrapped(behaviour.meaning + ".", indent: "      ")
            }
        }
        if Setting.of(command).isEmpty { return text }
        return text + "\nSettings\n\n" + precedence + "\n" + Setting.of(command).map(entry).joined()
    }

    private static func entry(_ setting: Setting) -> String {
        let unit = setting.unit.isEmpty ? "" : " Unit: \(setting.unit)."
        let file = setting.isSecret ? " In a file: \(setting.fileFlag), \(setting.fileVariable)." : ""
        return "  \(setting.flag) \(setting.placeholder)\n"
            + wrapped(setting.meaning + ".", indent: "      ")
            + wrapped(
                "Variable: \(setting.variable).\(unit) Default: \(setting.defaultText). Allowed: \(setting.allowed)."
                    + file,
                indent: "      ")
    }

    private static func commandNames(_ setting: Setting) -> String {
        Command.allCases.filter(setting.commands.contains).map(\.rawValue).joined(separator: ", ")
    }

    /// Broken at spaces into lines of at most 100 characters; ends with a line break.
    private static func wrapped(_ text: String, indent: String) -> String {
        var lines = [indent]
        var isFirst = true
        for word in text.split(separator: " ") {
            if !isFirst && lines[lines.count - 1].count + 1 + word.count > 100 {
                lines.append(indent)
                isFirst = true
            }
            lines[lines.count - 1] += (isFirst ? "" : " ") + word
            isFirst = false
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
