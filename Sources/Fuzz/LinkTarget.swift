import Usher

extension Target {
    /// Links to meetings: what is made of one is a link to the same room.
    static let links = Target(
        name: "links", maximumBytes: 4_096,
        tokens: [
            "https://", "http://", "HTTPS://", "meet.google.com", "teams.microsoft.com", "teams.live.com", "zoom.us",
            ".zoom.us", "zoomgov.com", "/j/", "/w/", "/wc/", "/s/", "/meet/", "/l/meetup-join/",
            "/v2/?meetingjoin=true#/meet/",
            "/dl/launcher/launcher.html?url=", "/light-meetings/launch?coords=", "19%3ameeting_ABC%40thread.v2",
            "@thread.tacv2", "/0?context=",
            "?p=", "?pwd=", "&tk=", "https://eur01.safelinks.protection.outlook.com/?url=",
            "https://www.google.com/url?q=",
            "%", "%2f", "%2F", "%253a", "%00", "%c3", "/", "//", "?", "#", "&", "=", "@", ":", ":443", "..", ".", "<",
            ">", ")", " ", "\n", "\0",
            "\u{e4}", "n\u{303}", "\u{202e}", "abc-defg-hij", "ABCDEFGHIJ", "9398850880426", "0",
        ]
    ) { input, _ in
        let text = String(decoding: input, as: UTF8.self)
        if let link = try? MeetingLink(url: text) {
            guard let again = try? MeetingLink(url: link.url) else { return "\(link.url) is not taken again" }
            guard again.room == link.room else { return "\(link.url) is \(again.room), and was \(link.room)" }
        }
        for platform in Platform.allCases {
            guard let link = try? MeetingLink(platform: platform, nativeID: text) else { continue }
            guard link.room.platform == platform, (try? MeetingLink(url: link.url))?.room == link.room else {
                return "\(link.room) is not that of \(link.url)"
            }
        }
        return nil
    }
}
