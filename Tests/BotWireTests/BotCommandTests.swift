import TestTurns
import Testing

@testable import BotWire

@Suite(.takesTurns) struct BotCommandTests {
    @Test func commandsAreUnderstood() {
        #expect(BotCommand("{\"action\":\"leave\"}") == .leave)
        #expect(BotCommand("{\"action\":\"leave\",\"more\":[]}") == .leave)
        #expect(
            BotCommand(
                "{\"action\":\"reconfigure\",\"language\":\"es\",\"task\":\"translate\",\"allowedLanguages\":[]}")
                == .reconfigure(language: "es", task: .translate))
        #expect(
            BotCommand("{\"action\":\"reconfigure\",\"language\":null}")
                == .reconfigure(language: .some(.none), task: nil))
        #expect(BotCommand("{\"action\":\"reconfigure\"}") == .reconfigure(language: .none, task: nil))
        #expect(BotCommand("{\"action\":\"speak\",\"text\":\"hi\"}") == .other(action: "speak"))
    }

    @Test(
        arguments: [
            "", "leave", "[]", "{}", "{\"action\":5}", "{\"action\":\"reconfigure\",\"language\":5}",
            "{\"action\":\"" + String(repeating: "x", count: 70_000) + "\"}",
        ])
    func anythingElseIsNone(message: String) {
        #expect(BotCommand(message) == nil)
    }
}
