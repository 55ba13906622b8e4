/// What a link to a meeting says, or a platform with its id: the room, the link to open, and the passcode if there is
/// one. Understands the variants that people paste; anything else is refused with what is wrong.
public struct MeetingLink: Equatable, Sendable {
    public let room: Room
    public let url: String
    public let passcode: String?

    /// Why it was not understood: a sentence that says what would be.
    public struct Invalid: Error, Equatable {
        public let reason: String
    }

    /// The longest link, in bytes, that is looked at.
    static let maximumBytes = 2_048

    /// Where MS Teams meetings are joined; the last two are those of the United States government.
    private static let teamsHosts = [
        "teams.live.com", "teams.microsoft.com", "teams.cloud.microsoft", "gov.teams.microsoft.us",
        "dod.teams.microsoft.us",
    ]

    /// Reads a link. The scheme may be missing; the host's case, a query, a fragment and a trailing slash do not matter.
    public init(url text: String) throws(Invalid) {
        guard text.utf8.count <= Self.maximumBytes else {
            throw Invalid(reason: "is longer than \(Self.maximumBytes) bytes")
        }
        guard let link = WebLink(text) else {
            throw Invalid(reason: "is not a web link: it must be http(s)://host/path")
        }
        if link.host == "meet.google.com" {
            self = try Self.googleMeet(link)
        } else if Self.teamsHosts.contains(link.host) {
            self = try Self.teams(link, given: text)
        } else if Self.isZoom(link.host) {
            self = try Self.zoom(link)
        } else {
            throw Invalid(reason: "is not a Google Meet, MS Teams or Zoom link")
        }
    }

    /// Takes a platform and its id, as the Bots API does.
    public init(platform: Platform, nativeID: String, passcode: String? = nil) throws(Invalid) {
        switch platform {
        case .googleMeet:
            guard let code = Self.meetCode(nativeID) else {
                throw Invalid(reason: "must be a Google Meet code like abc-defg-hij")
            }
            self.init(
                room: Room(platform: .googleMeet, nativeID: code), url: "https://meet.google.com/\(code)",
                passcode: passcode)
        case .teams:
            guard Self.isNumber(nativeID, digits: 6...20) else {
                throw Invalid(reason: "must be the digits of an MS Teams meeting id, without spaces")
            }
            let query = passcode.map { "?p=\(WebLink.encoded($0))" } ?? ""
            self.init(
                room: Room(platform: .teams, nativeID: nativeID),
                url: "https://teams.live.com/meet/\(nativeID)\(query)",
                passcode: passcode)
        case .zoom:
            guard Self.isNumber(nativeID, digits: 9...11) else {
                throw Invalid(reason: "must be the 9 to 11 digits of a Zoom meeting id, without spaces")
            }
            let query = passcode.map { "?pwd=\(WebLink.encoded($0))" } ?? ""
            self.init(
                room: Room(platform: .zoom, nativeID: nativeID), url: "https://zoom.us/j/\(nativeID)\(query)",
                passcode: passcode)
        }
    }

    /// The link with what was said beside it: a passcode that it lacks, or the number of a meeting whose link names its
    /// thread.
    public func with(nativeID: String? = nil, passcode: String? = nil) -> MeetingLink {
        MeetingLink(
            room: Room(platform: room.platform, nativeID: nativeID ?? room.nativeID), url: url,
            passcode: passcode ?? self.passcode)
    }

    private init(room: Room, url: String, passcode: String?) {
        self.room = room
        self.url = url
        self.passcode = passcode
    }

    // MARK: Google Meet

    /// `/abc-defg-hij`, also behind `/u/0/` (the account that a browser chose), and without its hyphens.
    private static func googleMeet(_ link: WebLink) throws(Invalid) -> MeetingLink {
        var path = link.path[...]
        if path.count == 3, path[0] == "u", isNumber(path[1], digits: 1...3) { path = path.dropFirst(2) }
        guard path.count == 1, let code = meetCode(path.first!) else {
            throw Invalid(reason: "is a Google Meet link without a meeting code like abc-defg-hij")
        }
        return try MeetingLink(platform: .googleMeet, nativeID: code)
    }

    /// Three, four and three letters, in lower case.
    private static func meetCode(_ text: String) -> String? {
        // Of bytes, not of characters: the Kelvin sign's lower case is a "k".
        var letters = text.utf8.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
        if letters.count == 12 {
            guard letters[3] == UInt8(ascii: "-"), letters[8] == UInt8(ascii: "-") else { return nil }
            letters.remove(at: 8)
            letters.remove(at: 3)
        }
        guard letters.count == 10, letters.allSatisfy({ (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }) else {
            return nil
        }
        let code = String(decoding: letters, as: UTF8.self)
        return "\(code.prefix(3))-\(code.dropFirst(3).prefix(4))-\(code.suffix(3))"
    }

    // MARK: MS Teams

    /// `/meet/<digits>?p=<passcode>`, and the older `/l/meetup-join/<thread>/...`, whose thread is the id. The link is
    /// kept as it was given, since its host and query matter to MS Teams.
    private static func teams(_ link: WebLink, given: String) throws(Invalid) -> MeetingLink {
        let url = WebLink.withScheme(given)
        if link.path.count == 2, link.path[0] == "meet", isNumber(link.path[1], digits: 6...20) {
            return MeetingLink(
                room: Room(platform: .teams, nativeID: link.path[1]), url: url, passcode: link.query("p"))
        }
        if link.path.count >= 3, link.path[0] == "l", link.path[1] == "meetup-join", isThread(link.path[2]) {
            return MeetingLink(room: Room(platform: .teams, nativeID: link.path[2]), url: url, passcode: nil)
        }
        throw Invalid(reason: "is an MS Teams link without a meeting id like /meet/9398850880426")
    }

    /// `19:meeting_<letters and digits>@thread.v2`
    private static func isThread(_ text: String) -> Bool {
        guard text.hasPrefix("19:"), text.hasSuffix("@thread.v2"), text.utf8.count <= 200 else { return false }
        return text.dropFirst(3).dropLast(10).utf8.allSatisfy { byte in
            WebLink.isLetterOrDigit(byte) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
        }
    }

    // MARK: Zoom

    private static func isZoom(_ host: String) -> Bool {
        ["zoom.us", "zoom.com", "zoomgov.com"].contains { host == $0 || host.hasSuffix(".\($0)") }
    }

    /// `/j/<digits>`, `/w/<digits>`, `/s/<digits>`, `/wc/<digits>/join` and `/wc/join/<digits>`, with `?pwd=`.
    private static func zoom(_ link: WebLink) throws(Invalid) -> MeetingLink {
        let number: String? =
            switch link.path.first {
            case "j", "w", "s": link.path.count == 2 ? link.path[1] : nil
            case "wc": link.path.dropFirst().first { isNumber($0, digits: 9...11) }
            default: nil
            }
        guard let number, isNumber(number, digits: 9...11) else {
            throw Invalid(reason: "is a Zoom link without a meeting id like /j/12345678901")
        }
        let passcode = link.query("pwd")
        let query = passcode.map { "?pwd=\(WebLink.encoded($0))" } ?? ""
        return MeetingLink(
            room: Room(platform: .zoom, nativeID: number), url: "https://\(link.host)/j/\(number)\(query)",
            passcode: passcode)
    }

    private static func isNumber(_ text: String, digits: ClosedRange<Int>) -> Bool {
        digits.contains(text.utf8.count)
            && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}
