import Foundation
import TestTurns
import Testing

@testable import Usher

/// Links as people paste them (docs/bot-wire.md, "Links"): one room, whatever it is called.
@Suite(.takesTurns) struct PastedLinkTests {
    struct Link: Sendable, CustomStringConvertible {
        let text: String
        let room: String
        var otherNames: [String] = []
        var passcode: String?
        /// What the bot opens; nil if it is the text.
        var url: String?
        var description: String { text }
    }

    private static let thread = "teams:19:meeting_ABC@thread.v2"
    private static let join = "https://teams.microsoft.com/l/meetup-join"
    private static let short = "https://teams.microsoft.com/l/meetup-join/19%3ameeting_ABC%40thread.v2/0?context=%7b%7d"

    /// base64 of a JSON object.
    private static func coordinates(_ json: String) -> String { Data(json.utf8).base64EncodedString() }

    static let links: [Link] =
        teams + launched + zoom + [
            Link(
                text:
                    "https://nam12.safelinks.protection.outlook.com/?url=\(WebLink.encoded(short))&data=05%7C02%7C&reserved=0",
                room: thread, url: short),
            Link(
                text: "https://www.google.com/url?q=https://meet.google.com/abc-defg-hij&sa=D&usg=x",
                room: "google_meet:abc-defg-hij", url: "https://meet.google.com/abc-defg-hij"),
            Link(
                text: "https://www.google.com/url?sa=j&url=https%3A%2F%2Fus02web.zoom.us%2Fj%2F123456789%3Fpwd%3Da",
                room: "zoom:123456789", passcode: "a", url: "https://us02web.zoom.us/j/123456789?pwd=a"),
            // One in the other.
            Link(
                text: "https://eur01.safelinks.protection.outlook.com/?url="
                    + WebLink.encoded("https://www.google.com/url?q=\(WebLink.encoded(short))"),
                room: thread, url: short),
            Link(
                text: "https%3A%2F%2Fmeet.google.com%2Fabc-defg-hij", room: "google_meet:abc-defg-hij",
                url: "https://meet.google.com/abc-defg-hij"),
        ]

    private static let teams = [
        Link(text: short, room: thread),
        Link(text: "\(join)/19:meeting_ABC@thread.v2/0", room: thread),
        Link(
            text: "\(join)/19%253ameeting_ABC%2540thread.v2/0?context=%257b%2522Tid%2522%253a%2522t%2522%257d",
            room: thread,
            url: "\(join)/19%3ameeting_ABC%40thread.v2/0?context=%7b%22Tid%22%3a%22t%22%7d"),
        Link(text: "\(join)/19%3a0123abc%40thread.skype/0?context=%7b%7d", room: "teams:19:0123abc@thread.skype"),
        // In a channel the number tells its meetings apart.
        Link(
            text: "\(join)/19%3aAbC-1%40thread.tacv2/1616990032035?context=%7b%7d",
            room: "teams:19:AbC-1@thread.tacv2:1616990032035"),
        Link(
            text: "\(join)/19%3aAbC-1%40thread.tacv2/1616990032036", room: "teams:19:AbC-1@thread.tacv2:1616990032036"),
        Link(
            text: "\(join)/19%3a0123abc%40thread.skype/1592474534342",
            room: "teams:19:0123abc@thread.skype:1592474534342"),
        Link(text: "https://dod.teams.microsoft.us/l/meetup-join/19%3ameeting_ABC%40thread.v2/0", room: thread),
    ]

    /// What browsers make of links on the way to the meeting.
    private static let launched = [
        Link(
            text: "https://teams.microsoft.com/v2/?meetingjoin=true#/meet/9398850880426?p=P1&anon=true",
            room: "teams:9398850880426", passcode: "P1",
            url: "https://teams.microsoft.com/meet/9398850880426?p=P1&anon=true"),
        Link(
            text:
                "https://teams.microsoft.com/v2/?meetingjoin=true#/l/meetup-join/19:meeting_ABC@thread.v2/0?context=%7b%7d",
            room: thread, url: "\(join)/19:meeting_ABC@thread.v2/0?context=%7b%7d"),
        Link(
            text: "https://teams.microsoft.com/_#/l/meetup-join/19:meeting_ABC@thread.v2/0", room: thread,
            url: "\(join)/19:meeting_ABC@thread.v2/0"),
        Link(
            text:
                "https://teams.microsoft.com/dl/launcher/launcher.html?url=%2F_%23%2Fl%2Fmeetup-join%2F19%3Ameeting_ABC"
                + "%40thread.v2%2F0%3Fcontext%3D%257b%2522Tid%2522%253a%2522t%2522%257d%26anon%3Dtrue&type=meetup-join",
            room: thread,
            url: "\(join)/19:meeting_ABC@thread.v2/0?context=%7b%22Tid%22%3a%22t%22%7d&anon=true"),
        Link(
            text:
                "https://teams.microsoft.com/dl/launcher/launcher.html?url=%252F_%2523%252Fl%252Fmeetup-join%252F19%253A"
                + "meeting_ABC%2540thread.v2%252F0&type=meetup-join",
            room: thread, url: "\(join)/19:meeting_ABC@thread.v2/0"),
        Link(
            text:
                "https://teams.live.com/dl/launcher/launcher.html?url=%2F_%23%2Fmeet%2F9398850880426%3Fp%3DP1%26anon%3Dtrue"
                + "&type=meet&deeplinkId=1",
            room: "teams:9398850880426", passcode: "P1", url: "https://teams.live.com/meet/9398850880426?p=P1&anon=true"
        ),
        Link(
            text: "https://teams.live.com/light-meetings/launch?agent=web&coords="
                + WebLink.encoded(
                    coordinates(
                        #"{"conversationId":"19:meeting_ABC@thread.v2","tenantId":"t1","organizerId":"o1","messageId":"0"}"#
                    )),
            room: thread,
            url:
                "https://teams.live.com/l/meetup-join/19%3Ameeting_ABC%40thread.v2/0?context=%7B%22Tid%22%3A%22t1%22%2C"
                + "%22Oid%22%3A%22o1%22%7D"),
        Link(
            text: "https://teams.live.com/light-meetings/launch?coords="
                + WebLink.encoded(
                    WebLink.encoded(coordinates(#"{"meetingCode":"9398850880426","passcode":"P1","x":[1]}"#))),
            room: "teams:9398850880426", passcode: "P1", url: "https://teams.live.com/meet/9398850880426?p=P1"),
        Link(
            text: "https://teams.live.com/light-meetings/launch?coords="
                + coordinates(
                    #"{"conversationId":"19:meeting_ABC@thread.v2","meetingCode":"9398850880426","passcode":"P1"}"#),
            room: thread, otherNames: ["teams:9398850880426"], passcode: "P1",
            url: "https://teams.live.com/l/meetup-join/19%3Ameeting_ABC%40thread.v2/0"),
    ]

    private static let zoom = [
        Link(text: "https://zoom.us/w/12345678901?tk=T.1_-a&pwd=P.1", room: "zoom:12345678901", passcode: "P.1"),
        Link(
            text: "https://acme.zoom.us/j/12345678901?tk=T", room: "zoom:12345678901",
            url: "https://acme.zoom.us/w/12345678901?tk=T"),
        // Another cloud: the same number is another meeting.
        Link(
            text: "https://acme.zoomgov.com/j/1612345678#success", room: "zoom:1612345678@zoomgov.com",
            url: "https://acme.zoomgov.com/j/1612345678"),
        Link(text: "https://acme.zoom.us/j/1612345678", room: "zoom:1612345678"),
    ]

    @Test(arguments: links)
    func isOneRoom(_ expected: Link) throws {
        let link = try MeetingLink(url: expected.text)
        #expect(link.room.description == expected.room)
        #expect(link.otherNames.map(\.description) == expected.otherNames)
        #expect(link.passcode == expected.passcode)
        #expect(link.url == expected.url ?? expected.text)
    }

    @Test func whatStandsAroundALinkIsNoPartOfIt() throws {
        for expected in Self.links {
            for (before, after) in [
                (" ", " "), ("\t", "\r\n"), ("<", ">"), ("(", ")"), ("", ">"), ("", "."), ("", ")"), ("", ")."),
                ("\u{a0}\u{feff}", "\u{200b}\u{2029}"), ("< ", " >,"),
            ] {
                let link = try MeetingLink(url: before + expected.text + after)
                #expect(link.room.description == expected.room, "\(before)\(expected)\(after)")
                #expect(link.url == expected.url ?? expected.text, "\(before)\(expected)\(after)")
            }
        }
    }

    @Test(arguments: [
        // To other places, by way of what may lead on.
        "https://safelinks.protection.outlook.com.evil.example/?url=https://meet.google.com/abc-defg-hij",
        "https://nam12.safelinks.protection.outlook.com/?url=https://evil.example/abc-defg-hij",
        "https://nam12.safelinks.protection.outlook.com/", "https://www.google.com/url?q=javascript:alert(1)",
        "https://www.google.com/search?q=https://meet.google.com/abc-defg-hij",
        "https://teams.microsoft.com/dl/launcher/launcher.html?url=https://evil.example/meet/123456",
        "https://teams.microsoft.com/dl/launcher/launcher.html?url=https://meet.google.com/abc-defg-hij",
        "https://teams.microsoft.com/dl/launcher/launcher.html", "https://teams.microsoft.com/v2/#/calendar",
        "https://teams.microsoft.com/v2/#https://evil.example/meet/123456", "https://teams.microsoft.com/v2/",
        // Into itself.
        "https://teams.microsoft.com/_#/_", "https://teams.microsoft.com/_#/_#/_#/_#/_#/meet/123456",
        "https://www.google.com/url?q=https://www.google.com/url",
        "https://teams.microsoft.com/%2525252525252525252525",
        // A channel whose meeting is not said; what is no base64 of what it should be.
        "https://teams.microsoft.com/l/meetup-join/19%3aAbC%40thread.tacv2",
        "https://teams.live.com/light-meetings/launch?coords=%%%",
        "https://teams.live.com/light-meetings/launch?coords=e30=",
        "https://teams.live.com/light-meetings/launch?coords=W10", "https://teams.live.com/light-meetings/launch",
        "https://zoom.us/j/123456789?pwd=" + String(repeating: "%21", count: 600) + String(repeating: "!", count: 200),
        ">", "<>", ".", "<https://>",
    ])
    func isRefused(_ text: String) {
        let error = #expect(throws: MeetingLink.Invalid.self) { try MeetingLink(url: text) }
        #expect(error?.reason.isEmpty == false)
    }

    /// As deep as may be, and once more.
    @Test func linksInLinksHaveABound() throws {
        var link = "https://meet.google.com/abc-defg-hij"
        for depth in 1...4 {
            link = "https://www.google.com/url?q=\(WebLink.encoded(link))"
            if depth < 4 {
                #expect(try MeetingLink(url: link).room.nativeID == "abc-defg-hij")
            } else {
                #expect(throws: MeetingLink.Invalid.self) { try MeetingLink(url: link) }
            }
        }
    }

    @Test(arguments: [
        (Platform.googleMeet, "abc-defg-hij", "abc-defg-hij"), (.zoom, "1612345678@zoomgov.com", "1612345678"),
        (.zoom, "123456789", "123456789"), (.teams, "123456", "123456"), (.teams, "19:a@thread.v2", "19:a@thread.v2"),
        (.teams, "19:a@thread.tacv2:17", "19:a@thread.tacv2"),
    ])
    func botsAreToldThePlatformsOwnId(_ platform: Platform, _ native: String, _ id: String) {
        #expect(Room(platform: platform, nativeID: native).platformID == id)
    }

    @Test(arguments: [
        (Platform.googleMeet, "AAA-OOOO-AAA", "aaa-oooo-aaa"), (.googleMeet, "aaaooooaaa", "aaa-oooo-aaa"),
        (.teams, "19:a@thread.v2/0", "19:a@thread.v2"), (.teams, "19:a@thread.tacv2/17", "19:a@thread.tacv2:17"),
        (.teams, "19:a@thread.tacv2:17", "19:a@thread.tacv2:17"), (.teams, "0F1E2D3C4B5A6978", "0f1e2d3c4b5a6978"),
        (.zoom, "1612345678@zoomgov.com", "1612345678@zoomgov.com"),
        // No ids: they name rooms in which nothing ever was.
        (.teams, "abc", "abc"), (.googleMeet, "AAA", "AAA"), (.zoom, "1", "1"),
    ])
    func anIdHasOneSpelling(_ platform: Platform, _ id: String, _ native: String) {
        #expect(Room(platform: platform, anySpelling: id).nativeID == native)
    }
}
