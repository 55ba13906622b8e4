import Foundation
import TestTurns
import Testing

@testable import Usher

@Suite(.takesTurns) struct MeetingLinkTests {
    /// Every spelling of the one room google_meet:abc-defg-hij.
    @Test(arguments: [
        "https://meet.google.com/abc-defg-hij", "http://meet.google.com/abc-defg-hij", "meet.google.com/abc-defg-hij",
        "https://meet.google.com/abc-defg-hij/", "https://meet.google.com/abc-defg-hij//",
        "https://MEET.Google.COM/abc-defg-hij", "HTTPS://meet.google.com/abc-defg-hij",
        "https://meet.google.com/ABC-DEFG-HIJ", "https://meet.google.com/abcdefghij",
        "https://meet.google.com/abc-defg-hij?authuser=0", "https://meet.google.com/abc-defg-hij?",
        "https://meet.google.com/abc-defg-hij?authuser=me@example.com&pli=1",
        "https://meet.google.com/abc-defg-hij?next=https://evil.example/", "https://meet.google.com/abc-defg-hij#top",
        "https://meet.google.com/abc-defg-hij/?hs=122&authuser=0#x?y", "https://meet.google.com/u/0/abc-defg-hij",
        "https://meet.google.com/u/12/abc-defg-hij/", "https://meet.google.com:443/abc-defg-hij",
        "meet.google.com:443/abc-defg-hij", "https://meet.google.com/%61bc-defg-hij",
        "https://meet.google.com/abc%2Ddefg%2dhij",
    ])
    func everySpellingOfAMeetURLIsOneRoom(_ text: String) throws {
        let link = try MeetingLink(url: text)
        #expect(link.room.description == "google_meet:abc-defg-hij")
        #expect(link.url == "https://meet.google.com/abc-defg-hij")
        #expect(link.passcode == nil)
    }

    @Test(arguments: [
        ("https://teams.live.com/meet/9398850880426", "teams:9398850880426", nil),
        ("https://teams.live.com/meet/9398850880426?p=RnZHnXyZ", "teams:9398850880426", "RnZHnXyZ"),
        ("teams.live.com/meet/9398850880426/?p=a%20b", "teams:9398850880426", "a b"),
        ("https://Teams.Microsoft.com/meet/123456?p=x", "teams:123456", "x"),
        ("https://teams.cloud.microsoft/meet/123456", "teams:123456", nil),
        (
            "https://teams.microsoft.com/l/meetup-join/19%3ameeting_Ab-c_1%40thread.v2/0?context=%7b%7d",
            "teams:19:meeting_Ab-c_1@thread.v2", nil
        ),
        (
            "https://teams.microsoft.com/l/meetup-join/19:meeting_Ab-c_1@thread.v2/0",
            "teams:19:meeting_Ab-c_1@thread.v2", nil
        ),
        ("https://zoom.us/j/12345678901", "zoom:12345678901", nil),
        ("https://us02web.zoom.us/j/1234567890?pwd=a.B%2Fc", "zoom:1234567890", "a.B/c"),
        ("https://acme.zoom.com/j/123456789", "zoom:123456789", nil),
        ("https://ZOOM.US/w/123456789/", "zoom:123456789", nil), ("https://zoom.us/s/123456789", "zoom:123456789", nil),
        ("https://zoom.us/wc/123456789/join", "zoom:123456789", nil),
        ("https://zoom.us/wc/join/123456789?pwd=x", "zoom:123456789", "x"),
        ("https://zoom.us/j/123456789?pwd=&pwd=second", "zoom:123456789", "second"),
    ])
    func linksOfTheOthersAreUnderstood(_ text: String, _ room: String, _ passcode: String?) throws {
        let link = try MeetingLink(url: text)
        #expect(link.room.description == room)
        #expect(link.passcode == passcode)
    }

    @Test func theLinkToOpenLeadsToTheSameRoom() throws {
        for (text, url) in [
            ("http://us02web.zoom.us/wc/123456789/join?pwd=a/b&x=1", "https://us02web.zoom.us/j/123456789?pwd=a%2Fb"),
            ("teams.live.com/meet/123456?p=x", "https://teams.live.com/meet/123456?p=x"),
        ] {
            let link = try MeetingLink(url: text)
            #expect(link.url == url)
            #expect(try MeetingLink(url: link.url) == link)
        }
    }

    private static let refused = [
        // No meeting in it.
        "", " ", "hello", "abc-defg-hij", "https://", "https:///abc-defg-hij", "https://meet.google.com",
        "https://meet.google.com/", "https://meet.google.com/new", "https://meet.google.com/landing",
        "https://meet.google.com/lookup/abcdefghij", "https://meet.google.com/abc-defg-hi",
        "https://meet.google.com/abc-defg-hijk", "https://meet.google.com/abcd-efg-hij",
        "https://meet.google.com/ab1-defg-hij", "https://meet.google.com/abc_defg_hij",
        "https://meet.google.com/abc-defg-hij/more", "https://meet.google.com//abc-defg-hij",
        "https://meet.google.com/u/abc-defg-hij", "https://meet.google.com/u/x/abc-defg-hij",
        "https://meet.google.com/u/0000/abc-defg-hij", "https://meet.google.com/?x=/abc-defg-hij",
        "https://meet.google.com/#/abc-defg-hij", "https://meet.google.com/abc-defg%2Fhij",
        // Not where it looks like.
        "https://meet.google.com.evil.example/abc-defg-hij", "https://evilmeet.google.com/abc-defg-hij",
        "https://meet.google.com@evil.example/abc-defg-hij", "https://evil.example/meet.google.com/abc-defg-hij",
        "https://meet.google.com:pass@evil.example/abc-defg-hij", "https://user@meet.google.com/abc-defg-hij",
        "https://evil.example#meet.google.com/abc-defg-hij", "https://evil.example?meet.google.com/abc-defg-hij",
        "https://evil.example\\@meet.google.com/abc-defg-hij", "https://meet.google.com\\.evil.example/abc-defg-hij",
        "https://meet-google.com/abc-defg-hij", "https://meet.google.co/abc-defg-hij",
        "https://google.com/abc-defg-hij", "https://meet.google.com./abc-defg-hij",
        "https://meet%2Egoogle.com/abc-defg-hij", "https://[::1]/abc-defg-hij", "https://127.0.0.1/abc-defg-hij",
        "https://..zoom.us/j/123456789", "https://.zoom.us/j/123456789", "https://-a.zoom.us/j/123456789",
        "https://zoom..us/j/123456789", "https://zoom.us.evil.example/j/123456789", "https://evilzoom.us/j/123456789",
        "https://teams.live.com.evil.example/meet/123456", "https://xteams.microsoft.com/meet/123456",
        // Ports, schemes, other writings.
        "https://meet.google.com:8443/abc-defg-hij", "https://meet.google.com:80/abc-defg-hij",
        "https://meet.google.com:/abc-defg-hij", "https://meet.google.com:443:443/abc-defg-hij",
        "ftp://meet.google.com/abc-defg-hij", "javascript://meet.google.com/abc-defg-hij",
        "file:///meet.google.com/abc-defg-hij", "mailto:x@meet.google.com/abc-defg-hij",
        "https:meet.google.com/abc-defg-hij", "https:/meet.google.com/abc-defg-hij",
        "//meet.google.com/abc-defg-hij", "https://https://meet.google.com/abc-defg-hij",
        "https://meet\u{2024}google.com/abc-defg-hij", "https://m\u{435}et.google.com/abc-defg-hij",
        "https://xn--mt-5ja.google.com/abc-defg-hij", "https://meet.google.com/abc\u{2011}defg\u{2011}hij",
        // The Kelvin sign, whose lower case is a plain k.
        "https://meet.google.com/%E2%84%AAbc-defg-hij",
        // White space within, control bytes, broken escapes.
        "https://meet.google.com/abc -defg-hij", "https://meet.google.com/abc\n-defg-hij",
        "https://meet.google.com/\u{0}abc-defg-hij", "https://meet.google.com/abc-defg-hij\u{7f}",
        "https://meet.google.com/%00abc-defg-hij", "https://meet.google.com/abc-defg-hij%0d%0aX",
        "https://meet.google.com/abc-defg-hij%", "https://meet.google.com/abc-defg-hij%2",
        "https://meet.google.com/%zzbc-defg-hij", "https://meet.google.com/%+1bc-defg-hij",
        "https://meet.google.com/%ff%febc-defg-hij",
        // MS Teams and Zoom without an id.
        "https://teams.live.com/meet/12345", "https://teams.live.com/meet/123456789012345678901",
        "https://teams.live.com/meet/", "https://teams.live.com/meet/12345a", "https://teams.live.com/l/channel/19%3ax",
        "https://teams.microsoft.com/l/meetup-join/", "https://teams.microsoft.com/l/meetup-join/20%3ax%40thread.v2/0",
        "https://teams.microsoft.com/l/meetup-join/19%3a%7bp0%7d%40thread.v2/0", "https://zoom.us/j/12345678",
        "https://zoom.us/j/123456789012", "https://zoom.us/my/anna", "https://zoom.us/j/", "https://zoom.us/wc/join",
        "https://zoom.us/j/123456789/more", "https://zoom.us/j/\u{661}23456789",
        "https://meet.google.com/abc-defg-hij?" + String(repeating: "x", count: 2_048),
    ]

    @Test(arguments: refused)
    func othersAreRefusedWithAReason(_ text: String) {
        let error = #expect(throws: MeetingLink.Invalid.self) { try MeetingLink(url: text) }
        #expect(error?.reason.hasPrefix("is ") == true)
    }

    @Test(arguments: [
        (Platform.googleMeet, "abc-defg-hij", "abc-defg-hij", "https://meet.google.com/abc-defg-hij"),
        (.googleMeet, "ABCDEFGHIJ", "abc-defg-hij", "https://meet.google.com/abc-defg-hij"),
        (.teams, "9398850880426", "9398850880426", "https://teams.live.com/meet/9398850880426?p=s%C3%A9%26"),
        (.zoom, "123456789", "123456789", "https://zoom.us/j/123456789?pwd=s%C3%A9%26"),
    ])
    func aPlatformAndAnIdMakeALink(_ platform: Platform, _ id: String, _ native: String, _ url: String) throws {
        let link = try MeetingLink(platform: platform, nativeID: id, passcode: "s\u{e9}&")
        #expect(link.room == Room(platform: platform, nativeID: native))
        #expect(link.url == url)
        #expect(link.passcode == "s\u{e9}&")
    }

    @Test(arguments: [
        (
            Platform.googleMeet,
            ["", "abc", "abc-defg-hij ", "abc-defg-hi1", "\u{212a}bc-defg-hij", "abc--defghij", "a/b"]
        ),
        (
            .teams,
            [
                "", "12345", "123456 789", "123456789012345678901", "12345x", "\u{661}23456", "0f1e2d3c4b5a6978",
                "19:@thread.v2", "19:a b@thread.v2", "20:a@thread.v2", "19:a@thread.v3", "19:a@thread.v2x",
                "19:a@thread.tacv2", "19:a@thread.tacv2:", "19:a@thread.tacv2:x", "19:a/../b@thread.v2", "@", "a@b:c",
            ]
        ),
        (
            .zoom,
            [
                "", "12345678", "123 456 789", "123456789012", "12345678-", "+23456789", "123456789@zoom.us",
                "12345678@zoomgov.com", "@zoomgov.com",
            ]
        ),
    ])
    func anIdOfAnotherFormIsRefused(_ platform: Platform, _ ids: [String]) {
        for id in ids {
            let error = #expect(throws: MeetingLink.Invalid.self) { try MeetingLink(platform: platform, nativeID: id) }
            #expect(error?.reason.hasPrefix("must be ") == true, "\(id)")
        }
    }

    /// Whatever is accepted stays within what a key and a log line may hold.
    @Test func noByteOfALinkBreaksOutOfItsRoom() {
        var generator = SystemRandomNumberGenerator()
        let templates =
            PastedLinkTests.links.map(\.text) + [
                "https://meet.google.com/abc-defg-hij?x", "https://teams.microsoft.com/l/meetup-join/19:m@thread.v2/0",
                "https://us02web.zoom.us/j/123456789?pwd=abc", "https://teams.live.com/meet/123456?p=x",
            ]
        for _ in 0..<20_000 {
            var bytes = Array(templates.randomElement(using: &generator)!.utf8)
            for _ in 0..<Int.random(in: 1...3) {
                bytes[Int.random(in: bytes.indices)] = UInt8.random(in: 0...255)
            }
            let text = String(decoding: bytes, as: UTF8.self)
            guard let link = try? MeetingLink(url: text) else { continue }
            for room in [link.room] + link.otherNames {
                #expect(room.platform == link.room.platform, "\(text)")
                #expect(
                    room.nativeID.utf8.allSatisfy { WebLink.isLetterOrDigit($0) || "-_:@.".utf8.contains($0) },
                    "\(text)")
                #expect(Room(platform: room.platform, anySpelling: room.nativeID) == room, "\(text)")
            }
            #expect(link.url.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }, "\(text)")
            #expect((try? MeetingLink(url: link.url))?.room == link.room, "\(text)")
        }
    }
}
