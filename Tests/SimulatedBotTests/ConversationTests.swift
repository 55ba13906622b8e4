import Foundation
import TestTurns
import Testing

@testable import SimulatedBot

@Suite(.takesTurns) struct ConversationTests {
    @Test(arguments: [
        (nil, "en"), ("en", "en"), ("es", "es"), ("ES-mx", "es"), ("zh_CN", "zh"), ("fr", "en"), ("", "en"),
    ])
    func theLanguageChoosesTheConversation(language: String?, spoken: String) {
        var conversation = Conversation()
        for _ in 0..<30 { #expect(conversation.say(language: language, task: .transcribe).language == spoken) }
    }

    @Test func aTranslationIsIntoEnglish() {
        var conversation = Conversation()
        #expect(conversation.say(language: "zh", task: .translate).language == "en")
    }

    @Test(arguments: ["en", "es", "zh"]) func severalSpeakInTurnOverAndOver(language: String) {
        var conversation = Conversation()
        let said = (0..<18).map { _ in conversation.say(language: language, task: nil) }
        #expect(Set(said.map(\.speaker)) == Set(Conversation.speakers))
        #expect(Array(said[..<9]) == Array(said[9...]))
        #expect(Set(said.map(\.text)).count == 9)
    }

    @Test func aChangeOfLanguageGoesOnWithTheNextUtterance() {
        var conversation = Conversation()
        _ = conversation.say(language: "en", task: nil)
        #expect(conversation.say(language: "es", task: nil).text == "Sí, te oigo bien.")
    }

    @Test(arguments: [("one two three four", "one two"), ("one two three", "one two"), ("one", "on"), ("大家早上好", "大家早")])
    func aDraftIsTheBeginning(text: String, draft: String) {
        #expect(Conversation.draft(of: text) == draft)
    }
}

@Suite(.takesTurns) struct PresenceTests {
    @Test(
        arguments: [
            ("google_meet:abc-defg-hij", "google_meet:abc-defg-hij.log"),
            ("teams:../../etc", "teams:..%2f..%2fetc.log"),
            ("zoom:\0 ü", "zoom:%00%20%c3%bc.log"),
        ])
    func aRoomsFileStaysInItsFolder(room: String, name: String) {
        #expect(RoomFile.name(room: room, kind: "log") == name)
        #expect(RoomFile.name(room: room + String(repeating: "/", count: 1_000), kind: "segments").utf8.count <= 255)
    }
}
