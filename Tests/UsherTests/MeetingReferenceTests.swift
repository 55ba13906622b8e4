import TestTurns
import Testing

@testable import Usher

/// The members by which a request names a meeting, together.
@Suite(.takesTurns) struct MeetingReferenceTests {
    private static let thread = "19:meeting_ABC@thread.v2"
    private static let link =
        "https://teams.microsoft.com/l/meetup-join/19%3ameeting_ABC%40thread.v2/0?context=%7b%22Tid%22%3a%22t%22%7d"
    private static let number = "389141384648269"

    @Test func aThreadIsTheRoomAndItsNumberANameOfIt() throws {
        for reference in [
            MeetingReference(url: Self.link, platform: .teams, nativeID: Self.number, passcode: "p"),
            MeetingReference(url: "https://teams.microsoft.com/meet/\(Self.number)?p=p", nativeID: Self.thread),
        ] {
            let link = try reference.link()
            #expect(link.room == Room(platform: .teams, nativeID: Self.thread))
            #expect(link.otherNames == [Room(platform: .teams, nativeID: Self.number)])
            #expect(link.url == reference.url && link.passcode == "p")
        }
    }

    /// So that a bot can be sent there again by the link alone.
    @Test(arguments: [
        ("https://teams.live.com/meet/9398850880426", "https://teams.live.com/meet/9398850880426?p=s%20%26"),
        (
            "https://teams.live.com/meet/9398850880426?anon=true#x",
            "https://teams.live.com/meet/9398850880426?anon=true&p=s%20%26#x"
        ),
        ("https://teams.live.com/meet/9398850880426?p=s%20%26", "https://teams.live.com/meet/9398850880426?p=s%20%26"),
        ("https://us02web.zoom.us/j/123456789", "https://us02web.zoom.us/j/123456789?pwd=s%20%26"),
        ("https://meet.google.com/abc-defg-hij", "https://meet.google.com/abc-defg-hij"),
        (link, link),
    ])
    func aLinkCarriesThePasscodeThatIsSaidBesideIt(_ given: String, _ kept: String) throws {
        let link = try MeetingReference(url: given, passcode: "s &").link()
        #expect(link.url == kept && link.passcode == "s &")
        guard link.needsPasscode else { return }
        let again = try MeetingReference(url: link.url).link()
        #expect(again.room == link.room && again.passcode == "s &")
    }

    @Test func aLinkThatWouldBeTooLongStaysAsItIs() throws {
        let url = "https://teams.live.com/meet/9398850880426?x=" + String(repeating: "a", count: 2_000)
        let link = try MeetingReference(url: url, passcode: String(repeating: "p", count: 100)).link()
        #expect(link.url == url && link.passcode?.count == 100)
    }

    @Test func itDoesSoWhereTheIDIsAThread() throws {
        let reference = MeetingReference(
            url: "https://teams.microsoft.com/meet/\(Self.number)", nativeID: Self.thread, passcode: "p")
        #expect(try reference.link().url == "https://teams.microsoft.com/meet/\(Self.number)?p=p")
    }

    /// The digits that an MCP server makes of a link.
    @Test func aDigestIsANameOfTheRoom() throws {
        for (url, room) in [
            (Self.link, Self.thread), ("https://teams.live.com/meet/\(Self.number)?p=x", Self.number),
        ] {
            let link = try MeetingReference(url: url, platform: .teams, nativeID: "0F1e2d3c4b5a6978").link()
            #expect(link.room.nativeID == room && link.url == url)
            #expect(link.otherNames.map(\.nativeID) == ["0f1e2d3c4b5a6978"])
        }
    }

    @Test func aLinkIsMadeWhereThereIsNone() throws {
        for (id, host, url) in [
            (Self.number, nil, "https://teams.live.com/meet/\(Self.number)?p=p"),
            (Self.number, "teams.microsoft.com", "https://teams.microsoft.com/meet/\(Self.number)?p=p"),
            (Self.number, "DOD.teams.microsoft.us", "https://dod.teams.microsoft.us/meet/\(Self.number)?p=p"),
            (Self.thread, nil, "https://teams.microsoft.com/l/meetup-join/19%3Ameeting_ABC%40thread.v2/0"),
            (
                "19:a@thread.tacv2:17", "gov.teams.microsoft.us",
                "https://gov.teams.microsoft.us/l/meetup-join/19%3Aa%40thread.tacv2/17"
            ),
        ] {
            let link = try MeetingReference(platform: .teams, nativeID: id, passcode: "p", teamsHost: host).link()
            #expect(link.url == url && link.room.nativeID == id && link.otherNames == [])
            #expect(try MeetingLink(url: link.url).room == link.room)
        }
    }

    @Test func theIdOfALinkMayBeSaidBesideIt() throws {
        for (url, id, room) in [
            (Self.link, Self.thread, Self.thread),
            ("https://meet.google.com/abc-defg-hij", "ABCDEFGHIJ", "abc-defg-hij"),
            ("https://a.zoomgov.com/j/1612345678", "1612345678", "1612345678@zoomgov.com"),
            ("https://a.zoomgov.com/j/1612345678", "1612345678@zoomgov.com", "1612345678@zoomgov.com"),
            (
                "https://teams.microsoft.com/l/meetup-join/19:a@thread.tacv2/17", "19:a@thread.tacv2",
                "19:a@thread.tacv2:17"
            ),
        ] {
            let link = try MeetingReference(url: url, nativeID: id).link()
            #expect(link.room.nativeID == room && link.otherNames == [], "\(id)")
        }
    }

    @Test func whatContradictsIsRefused() {
        let meet = "https://meet.google.com/abc-defg-hij"
        let cases: [(MeetingReference, MeetingReference.Member, isNoID: Bool)] = [
            (MeetingReference(), .platform, false), (MeetingReference(platform: .teams), .nativeMeetingID, false),
            (MeetingReference(url: meet, platform: .zoom), .platform, false),
            (MeetingReference(url: meet, nativeID: "abc-defg-hix"), .nativeMeetingID, false),
            (MeetingReference(url: meet, nativeID: "abc"), .nativeMeetingID, true),
            (MeetingReference(url: Self.link, nativeID: "19:meeting_ABD@thread.v2"), .nativeMeetingID, false),
            (MeetingReference(url: Self.link, nativeID: "19:meeting_ABC@thread.v3"), .nativeMeetingID, true),
            (
                MeetingReference(url: "https://teams.live.com/meet/123456?p=x", nativeID: "123457"), .nativeMeetingID,
                false
            ),
            (MeetingReference(url: "https://teams.live.com/meet/123456?p=x", passcode: "y"), .passcode, false),
            // The same text to the eye, and to Unicode, but not to those who check it.
            (
                MeetingReference(url: "https://teams.live.com/meet/123456?p=%C3%B1", passcode: "n\u{303}"), .passcode,
                false
            ),
            (MeetingReference(url: Self.link, teamsHost: "teams.live.com"), .teamsHost, false),
            (MeetingReference(platform: .teams, nativeID: "123456", teamsHost: "evil.example"), .teamsHost, false),
            (MeetingReference(platform: .teams, nativeID: "0f1e2d3c4b5a6978"), .nativeMeetingID, true),
            (
                MeetingReference(url: "https://acme.zoom.us/j/1612345678", nativeID: "1612345678@zoomgov.com"),
                .nativeMeetingID, false
            ),
            (MeetingReference(url: "https://evil.example/", platform: .teams, nativeID: "123456"), .meetingURL, false),
        ]
        for (reference, member, isNoID) in cases {
            let problem = #expect(throws: MeetingReference.Problem.self) { try reference.link() }
            #expect(problem?.member == member && problem?.isNoID == isNoID, "\(reference)")
        }
    }
}
