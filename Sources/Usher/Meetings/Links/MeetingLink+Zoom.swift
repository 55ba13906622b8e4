/// The number of a Zoom meeting, and the cloud that it is in. That of the United States government counts for itself, so
/// the same number is another meeting there: its id is written `1612345678@zoomgov.com`.
struct ZoomID {
    static let government = "zoomgov.com"

    let number: String
    let isGovernment: Bool

    /// Nil unless the number has 9 to 11 digits.
    init?(number: String, isGovernment: Bool) {
        guard MeetingLink.isNumber(number, digits: 9...11) else { return nil }
        self.number = number
        self.isGovernment = isGovernment
    }

    init?(_ text: String) {
        let suffix = "@\(Self.government)"
        let isGovernment = text.hasSuffix(suffix)
        self.init(number: isGovernment ? String(text.dropLast(suffix.count)) : text, isGovernment: isGovernment)
    }

    var room: Room {
        Room(platform: .zoom, nativeID: isGovernment ? "\(number)@\(Self.government)" : number)
    }
}

extension MeetingLink {
    static func isZoom(_ link: WebLink) -> Bool {
        ["zoom.us", "zoom.com", ZoomID.government].contains(where: link.isIn)
    }

    /// `/j/<digits>`, `/w/<digits>`, `/s/<digits>`, `/wc/<digits>/join` and `/wc/join/<digits>`, with `?pwd=`. A registrant's
    /// `tk` is kept as it is: without it, nobody gets into a meeting with registration.
    static func zoom(_ link: WebLink) throws(Invalid) -> MeetingLink {
        let number: String? =
            switch link.path.first {
            case "j", "w", "s": link.path.count == 2 ? link.path[1] : nil
            case "wc": link.path.dropFirst().first { isNumber($0, digits: 9...11) }
            default: nil
            }
        guard let number, let id = ZoomID(number: number, isGovernment: link.isIn(ZoomID.government)) else {
            throw Invalid(reason: "is a Zoom link without a meeting id like /j/12345678901")
        }
        let passcode = link.query("pwd")
        let ticket = link.query("tk")
        let query = [("tk", ticket), ("pwd", passcode)].compactMap { name, value in
            value.map { "\(name)=\(WebLink.encoded($0))" }
        }
        let url = "https://\(link.host)/\(ticket == nil ? "j" : "w")/\(number)"
        return MeetingLink(
            room: id.room, url: query.isEmpty ? url : "\(url)?\(query.joined(separator: "&"))", passcode: passcode)
    }

    init(zoomID text: String, passcode: String?) throws(Invalid) {
        guard let id = ZoomID(text) else {
            throw Invalid(reason: "must be the 9 to 11 digits of a Zoom meeting id, without spaces")
        }
        let host = id.isGovernment ? "www.\(ZoomID.government)" : "zoom.us"
        let query = passcode.map { "?pwd=\(WebLink.encoded($0))" } ?? ""
        self.init(room: id.room, url: "https://\(host)/j/\(id.number)\(query)", passcode: passcode)
    }
}
