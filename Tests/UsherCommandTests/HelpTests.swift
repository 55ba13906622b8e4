import Foundation
import SimulatedBot
import TestTurns
import Testing

@testable import UsherCommand

@Suite(.takesTurns) struct HelpTests {
    @Test(arguments: Command.allCases.filter { $0 != .help })
    func theHelpOfACommandExplainsEachOfItsSettingsInFull(command: Command) {
        let text = Help.text(.command(command)).split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(text.hasPrefix("Usage: usher \(command.rawValue) "))
        for setting in Setting.all {
            guard setting.commands.contains(command) else {
                #expect(
                    !text.contains("\(setting.flag) \(setting.placeholder) "), "\(setting.flag) is not for \(command)")
                continue
            }
            let unit = setting.unit.isEmpty ? "" : " Unit: \(setting.unit)."
            let file = setting.isSecret ? " In a file: \(setting.flag)-file, \(setting.variable)_FILE." : ""
            #expect(
                text.contains(
                    "\(setting.flag) \(setting.placeholder) \(setting.meaning). Variable: \(setting.variable).\(unit) "
                        + "Default: \(setting.defaultText). Allowed: \(setting.allowed).\(file)"))
        }
    }

    @Test func theHelpOfAdminShowsEveryActionAndOption() {
        let text = Help.text(.command(.admin)).split(whereSeparator: \.isWhitespace).joined(separator: " ")
        for action in AdminAction.allCases { #expect(text.contains("\(action.usage) \(action.meaning).")) }
        let taken = AdminAction.allCases.flatMap { $0.required + $0.optional }
        #expect(AdminAction.Option.allCases.allSatisfy(taken.contains))
    }

    @Test func theHelpOfTheSimulatedBotExplainsEveryBehaviour() {
        let text = Help.text(.command(.simulateBot)).split(whereSeparator: \.isWhitespace).joined(separator: " ")
        for behaviour in Simulation.Behaviour.allCases {
            #expect(text.contains(" \(behaviour.rawValue) \(behaviour.meaning). "))
        }
    }

    @Test func theOverviewNamesEveryCommand() {
        let text = Help.text(.overview)
        for command in Command.allCases { #expect(text.contains(command.usage) != command.isInternal) }
        #expect(text.contains("--version") && text.contains("help settings --markdown"))
    }

    @Test func noLineIsTooLongForATerminal() {
        let tables: [HelpTopic] = [.overview, .settings(markdown: false), .metrics]
        let topics = tables + Command.allCases.map { .command($0) }
        for line in topics.flatMap({ Help.text($0).split(separator: "\n") }) { #expect(line.count <= 100, "\(line)") }
    }

    /// `usher help settings --markdown` prints what belongs there.
    @Test func theTableInTheDocumentIsTheOneOfTheSettings() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let document = root.appendingPathComponent("docs/configuration.md")
        let text = try String(contentsOf: document, encoding: .utf8)
        let parts = text.components(separatedBy: "<!-- settings -->\n")
        #expect(parts.count == 2, "docs/configuration.md needs one <!-- settings -->")
        let table = try #require(parts.last).components(separatedBy: "<!-- /settings -->")
        #expect(table.count == 2, "docs/configuration.md needs one <!-- /settings -->")
        #expect(
            table[0] == Help.markdown, "put the output of `usher help settings --markdown` between the two comments")
    }
}
