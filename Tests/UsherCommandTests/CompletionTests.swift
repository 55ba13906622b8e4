import TestTurns
import Testing

@testable import UsherCommand

@Suite(.takesTurns) struct CompletionTests {
    @Test(arguments: Completion.allCases)
    func everyCommandIsThereWithAllThatItTakes(shell: Completion) {
        let lines = shell.script.split(separator: "\n")
        for command in Command.allCases where !command.isInternal {
            #expect(lines.contains { $0.contains(command.rawValue) })
            for setting in Setting.of(command) {
                let name = shell == .fish ? " -l \(setting.name)" : setting.flag
                #expect(shell.script.contains(name), "\(command.rawValue) \(setting.flag)")
            }
        }
        #expect(!shell.script.contains(Command.supervise.rawValue))
        for word in ["create-workspace", "owner-user-id", "passcode-file", "admin-key-file", "debug"] {
            #expect(shell.script.contains(word), "\(word)")
        }
    }

    @Test func whatACommandTakesIsItsOwn() {
        let flags = Completion.flags(of: .bots).map(\.name)
        #expect(flags.contains("--cursor") && flags.contains("--redis-file") && flags.contains("--help"))
        #expect(!flags.contains("--port") && !flags.contains("--user-id"))
        #expect(Set(Completion.flagsWithValues.map(\.name)).count == Completion.flagsWithValues.count)
    }
}
