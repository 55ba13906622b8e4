import FoundationEssentials
import JSON

extension MeetingLink {
    /// Where MS Teams meetings are joined; the last three are those of the United States government.
    public static let teamsHosts = [
        "teams.microsoft.com", "teams.live.com", "teams.cloud.microsoft", "teams.microsoft.us",
        "gov.teams.microsoft.us", "dod.teams.microsoft.us",
    ]

    /// `/meet/<digits>?p=<passcode>`, and `/l/meetup-join/<thread>/<number>`; and what browsers make of them on the way to
    /// the meeting. The link is kept as it was given, since its host and query matter to MS Teams.
    /// - Parameter depth: in how many other links it stands.
    static func teams(_ link: WebLink, given: String, depth: Int) throws(Invalid) -> MeetingLink {
        if let (id, passcode) = teamsMeeting(link) {
            return MeetingLink(room: id.room, url: WebLink.withScheme(given), passcode: passcode)
        }
        if link.path == ["light-meetings", "launch"],
            let coordinates = link.query("coords").flatMap(TeamsCoordinates.init),
            let meeting = coordinates.link(host: link.host)
        {
            return meeting
        }
        guard let inner = teamsLink(in: link) else {
            throw Invalid(reason: "is an MS Teams link without a meeting id like /meet/9398850880426")
        }
        return try MeetingLink(url: WebLink.encodedWhereInvisible(inner), depth: depth + 1)
    }

    private static func teamsMeeting(_ link: WebLink) -> (TeamsID, passcode: String?)? {
        let path = link.path
        if path.count == 2, path[0] == "meet", isNumber(path[1], digits: 6...20) {
            return (.number(path[1]), link.query("p"))
        }
        if path.count >= 3, path[0] == "l", path[1] == "meetup-join",
            let id = TeamsID(thread: path[2], number: path.count > 3 ? path[3] : nil)
        {
            return (id, nil)
        }
        return nil
    }

    /// The link that stands in one which browsers show before the meeting, or that was encoded once too often.
    private static func teamsLink(in link: WebLink) -> String? {
        let base = "https://\(link.host)"
        // `/v2/?meetingjoin=true#/meet/...` and `/_#/l/meetup-join/...`
        if ["v2", "_"].contains(link.path.first), link.path.count == 1 {
            return decodedPath(link.fragment).map { base + $0 }
        }
        // `/dl/launcher/launcher.html?url=/_#/l/meetup-join/...`, the `#` encoded or not.
        if link.path == ["dl", "launcher", "launcher.html"], let target = link.query("url") {
            guard let path = decodedPath(target) else {
                return WebLink(target).flatMap { teamsHosts.contains($0.host) ? target : nil }
            }
            return base + (path == "/_" && !link.fragment.isEmpty ? "/_#\(link.fragment)" : path)
        }
        guard link.rawPath.contains("%"), let path = WebLink.decoded(link.rawPath) else { return nil }
        guard let query = link.rawQuery else { return base + path }
        return base + path + "?" + (query.contains("%25") ? WebLink.decoded(query) ?? query : query)
    }

    /// A path, decoded once if it was encoded as a whole. Nil if it is none.
    private static func decodedPath(_ text: String) -> String? {
        if text.hasPrefix("/") { return text }
        guard let path = WebLink.decoded(text), path.hasPrefix("/") else { return nil }
        return path
    }

    init(teamsID text: String, passcode: String?, host: String?) throws(Invalid) {
        switch TeamsID(text) {
        case .number(let number):
            let query = passcode.map { "?p=\(WebLink.encoded($0))" } ?? ""
            self.init(
                room: Room(platform: .teams, nativeID: number),
                url: "https://\(host ?? "teams.live.com")/meet/\(number)\(query)", passcode: passcode)
        case .thread(let thread):
            self.init(teamsThread: thread, host: host ?? "teams.microsoft.com", passcode: passcode)
        case .digest:
            throw Invalid(
                reason:
                    "must be the number or the thread of an MS Teams meeting, unless the meeting_url that it was made from is beside it"
            )
        case nil:
            throw Invalid(
                reason: "must be the digits of an MS Teams meeting id, without spaces, or a thread like "
                    + "19:meeting_...@thread.v2")
        }
    }

    /// - Parameters:
    ///   - thread: as `TeamsID` has it.
    ///   - query: what the link is to have behind it.
    init(teamsThread thread: String, host: String, query: String = "", passcode: String?) {
        let parts = thread.dropFirst(3).split(separator: ":", maxSplits: 1)
        let number = parts.count == 2 ? parts[1] : "0"
        self.init(
            room: Room(platform: .teams, nativeID: thread),
            url: "https://\(host)/l/meetup-join/\(WebLink.encoded("19:\(parts[0])"))/\(number)\(query)",
            passcode: passcode)
    }
}

/// What the `coords` of `/light-meetings/launch` say: a JSON object in base64. Not all of it is always there.
struct TeamsCoordinates: Decodable {
    private let conversationId: String?
    private let messageId: String?
    private let tenantId: String?
    private let organizerId: String?
    private let meetingCode: String?
    private let passcode: String?

    private enum CodingKeys: String, CodingKey {
        case conversationId, messageId, tenantId, organizerId, meetingCode, passcode
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        // What is no text says nothing.
        func text(_ key: CodingKeys) -> String? {
            (try? container.decodeIfPresent(String.self, forKey: key)).flatMap { $0 }.flatMap { $0.isEmpty ? nil : $0 }
        }
        conversationId = text(.conversationId)
        messageId = text(.messageId)
        tenantId = text(.tenantId)
        organizerId = text(.organizerId)
        meetingCode = text(.meetingCode)
        passcode = text(.passcode)
    }

    /// - Parameter text: base64 (RFC 4648, sections 4 and 5), its padding present or not, encoded once more or not.
    init?(_ text: String) {
        var base64 = (WebLink.decoded(text) ?? text).replacing("-", with: "+").replacing("_", with: "/")
        while base64.hasSuffix("=") { base64.removeLast() }
        base64 += String(repeating: "=", count: (4 - base64.utf8.count % 4) % 4)
        guard let data = Data(base64Encoded: base64),
            let coordinates = try? TeamsCoordinates(json: Array(data))
        else { return nil }
        self = coordinates
    }

    /// The meeting's own link; nil if no meeting is named.
    func link(host: String) -> MeetingLink? {
        let number: TeamsID? = meetingCode.flatMap { code in
            if case .number? = TeamsID(code) { .number(code) } else { nil }
        }
        if let conversationId, case .thread(let thread)? = TeamsID(thread: conversationId, number: messageId) {
            var context = ""
            if let tenantId, let organizerId, Self.isPlain(tenantId), Self.isPlain(organizerId) {
                let json = "{\"Tid\":\"\(tenantId)\",\"Oid\":\"\(organizerId)\"}"
                context = "?context=\(WebLink.encoded(json))"
            }
            var link = MeetingLink(teamsThread: thread, host: host, query: context, passcode: passcode)
            if let number { link.otherNames = [number.room] }
            return link
        }
        return number.flatMap { try? MeetingLink(teamsID: $0.text, passcode: passcode, host: host) }
    }

    private static func isPlain(_ id: String) -> Bool {
        id.utf8.allSatisfy { WebLink.isLetterOrDigit($0) || $0 == UInt8(ascii: "-") }
    }
}
