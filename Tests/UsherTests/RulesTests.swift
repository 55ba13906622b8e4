import TestTurns
import Testing

@testable import Usher

/// Rules that need no Redis.
@Suite(.takesTurns) struct RulesTests {
    /// The table "Behavior by meeting status" of the document.
    @Test func theTableOfStatusesIsTheDocuments() throws {
        #expect(try Reinvitation.judge("INITIAL", forceRestart: false) == false)
        #expect(try Reinvitation.judge("INITIAL", forceRestart: true) == false)
        #expect(try Reinvitation.judge("OFFLINE", forceRestart: true) == true)
        let refusals: [(String, Bool, ReinviteRefusal)] = [
            ("LIVE", false, .live(holder: nil)), ("LIVE", true, .restartWhileLive),
            ("STOPPING", false, .stopping(status: .stopping, holder: nil)),
            ("STOPPING", true, .stopping(status: .stopping, holder: nil)),
            ("ANALYZING", false, .stopping(status: .analyzing, holder: nil)),
            ("ANALYZING", true, .stopping(status: .analyzing, holder: nil)), ("OFFLINE", false, .offline),
        ]
        for (status, force, refusal) in refusals {
            #expect(throws: refusal) { try Reinvitation.judge(status, forceRestart: force) }
        }
        for status in ["", "initial", "OFFLINE ", "DELETED", "\u{0}"] {
            for force in [false, true] {
                #expect(throws: ReinviteRefusal.unexpectedStatus(status)) {
                    try Reinvitation.judge(status, forceRestart: force)
                }
            }
        }
    }

    @Test func rolesAreOrdered() {
        #expect(Role.viewer < .member && Role.member < .manager && Role.manager < .owner)
        #expect(Role.allCases.filter { $0 >= .manager } == [.manager, .owner])
        #expect(Role(rawValue: "Owner") == nil)
    }

    @Test(arguments: [
        "anna@example.com", "a@b", "anna+tag@sub.example.com", "\u{e4}nna@ex\u{e4}mple.com", "o'brien@example.com",
        String(repeating: "a", count: 64) + "@example.com",
    ])
    func emailsAreTaken(_ text: String) {
        #expect(Administration.isEmail(text))
    }

    @Test(arguments: [
        "", "@", "anna", "anna@", "@example.com", "anna@@example.com", "a@b@c", "an na@example.com",
        "anna@example.com ", "anna@example.com\n", "anna@exam\u{0}ple.com", "anna@example.com\u{7f}",
        "anna@exam\u{a0}ple.com", "anna@example.com\u{200b}", "an\u{202e}na@example.com", "anna@example.com\u{85}",
        String(repeating: "a", count: 65) + "@example.com", "a@" + String(repeating: "b", count: 253),
    ])
    func whatIsNoEmailIsRefused(_ text: String) {
        #expect(!Administration.isEmail(text))
    }

    @Test func textsHaveABoundedLengthAndNoControlCharacters() {
        for text in ["a", "\u{e4} b", String(repeating: "\u{1f600}", count: 10), "e\u{301}"] {
            #expect(Administration.problem(of: text, maximum: 10) == nil)
        }
        let longCharacter = "e" + String(repeating: "\u{301}", count: 10)
        for text in ["", "a\nb", "\u{1b}[31m", String(repeating: "a", count: 11), longCharacter] {
            #expect(
                Administration.problem(of: text, maximum: 10)
                    == "must have 1 to 10 characters, and no control characters")
        }
    }

    @Test func emailsAreComparedInLowerCase() {
        #expect(NewUser(email: "Anna@Example.COM").email == "anna@example.com")
        #expect(NewUser(email: "\u{c9}va@example.com").email.utf8.elementsEqual("\u{e9}va@example.com".utf8))
        // Both become letters of ASCII where no care is taken.
        for letter in ["\u{212a}", "\u{130}"] {
            let email = NewUser(email: "\(letter)ate@example.com").email
            #expect(email.utf8.elementsEqual("\(letter)ate@example.com".utf8))
        }
    }

    @Test func aMeetingsRecordNeedsItsFields() throws {
        let record = [
            "id": "m", "number": "7", "workspace_id": "w", "platform": "google_meet",
            "native_meeting_id": "abc-defg-hij", "meeting_url": "https://meet.google.com/abc-defg-hij",
            "created_at": "1000", "status": "INITIAL", "duration": "nonsense",
        ]
        let meeting = try Meeting(record)
        #expect(meeting.room.description == "google_meet:abc-defg-hij")
        #expect(meeting.duration == nil)
        for field in ["id", "number", "workspace_id", "platform", "native_meeting_id", "created_at"] {
            #expect(throws: (any Error).self) { try Meeting(record.filter { $0.key != field }) }
        }
        #expect(throws: (any Error).self) { try Meeting(record.merging(["platform": "phone"]) { $1 }) }
    }
}
