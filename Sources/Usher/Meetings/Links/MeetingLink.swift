/// What a link to a meeting says, or a platform with its id: the room, the link to open, and the passcode if there is
/// one. Understands the variants that people paste; anything else is refused with what is wrong.
public struct MeetingLink: Equatable, Sendable {
    public let room: Room
    /// What the room is called besides, of the same platform: the number of an MS Teams meeting whose thread is its
    /// room. A bot that is asked for by such a name is one for the room.
    public internal(set) var otherNames: [Room]
    public private(set) var url: String
    public internal(set) var passcode: String?

    /// Why it was not understood: a sentence that says what would be.
    public struct Invalid: Error, Equatable {
        public let reason: String
    }

    /// The longest link, in bytes, that is looked at.
    public static let maximumBytes = 2_048
    /// How many links may stand one in another, as in an Outlook Safe Link of a page that starts MS Teams.
    private static let maximumDepth = 4

    /// Reads a link as people paste it: with blanks, line ends, brackets and a full stop around it; as mail programs and
    /// search engines wrap it. The scheme may be missing; the host's case, a query, a fragment and a trailing slash do not
    /// matter.
    public init(url text: String) throws(Invalid) {
        try self.init(url: text, depth: 0)
    }

    /// - Parameter depth: in how many other links it stands.
    init(url text: String, depth: Int) throws(Invalid) {
        guard text.utf8.count <= Self.maximumBytes else {
            throw Invalid(reason: "is longer than \(Self.maximumBytes) bytes")
        }
        guard depth < Self.maximumDepth else { throw Invalid(reason: "is a link in too many others") }
        let text = PastedText.link(in: text)
        if let decoded = PastedText.decodedLink(text) {
            try self.init(url: decoded, depth: depth + 1)
            return
        }
        guard let link = WebLink(text) else {
            throw Invalid(reason: "is not a web link: it must be http(s)://host/path")
        }
        if let wrapped = PastedText.link(wrappedIn: link) {
            try self.init(url: wrapped, depth: depth + 1)
        } else if link.host == "meet.google.com" {
            self = try Self.googleMeet(link)
        } else if Self.teamsHosts.contains(link.host) {
            self = try Self.teams(link, given: text, depth: depth)
        } else if Self.isZoom(link) {
            self = try Self.zoom(link)
        } else {
            throw Invalid(reason: "is not a Google Meet, MS Teams or Zoom link")
        }
        // What is kept is to be a link that is taken again.
        guard url.utf8.count <= Self.maximumBytes else {
            throw Invalid(reason: "says a passcode that is too long")
        }
    }

    /// Takes a platform and its id, as the Bots API does.
    /// - Parameter teamsHost: where an MS Teams meeting is joined, one of `teamsHosts`; nil for where most of such ids
    ///   are: numbers with a passcode at teams.live.com, threads at teams.microsoft.com.
    public init(
        platform: Platform, nativeID: String, passcode: String? = nil, teamsHost: String? = nil
    ) throws(Invalid) {
        switch platform {
        case .googleMeet: try self.init(meetCode: nativeID, passcode: passcode)
        case .teams: try self.init(teamsID: nativeID, passcode: passcode, host: teamsHost)
        case .zoom: try self.init(zoomID: nativeID, passcode: passcode)
        }
    }

    init(room: Room, otherNames: [Room] = [], url: String, passcode: String?) {
        self.room = room
        self.otherNames = otherNames
        self.url = url
        self.passcode = passcode
    }

    /// Whether nobody gets in by this link without a passcode: MS Teams' numbers. Its threads have what else is needed.
    public var needsPasscode: Bool { room.platform == .teams && WebLink(url)?.path.first == "meet" }

    /// Takes a passcode that was said beside the link. The link carries it from now on, as one that is made of an id and a
    /// passcode does: whoever sends a bot there again by the link that is shown needs no more.
    mutating func take(passcode: String) {
        let isNew = self.passcode == nil
        self.passcode = passcode
        guard isNew, needsPasscode || room.platform == .zoom else { return }
        let name = room.platform == .zoom ? "pwd" : "p"
        let (whole, fragment) = url.firstIndex(of: "#").map { (url[..<$0], url[$0...]) } ?? (url[...], "")
        let carrying = "\(whole)\(whole.contains("?") ? "&" : "?")\(name)=\(WebLink.encoded(passcode))\(fragment)"
        // A link that says otherwise, or is too long, stays as it is.
        guard let link = try? MeetingLink(url: carrying), link.passcode == passcode else { return }
        if link.room == room || otherNames.contains(link.room) { url = carrying }
    }

    static func isNumber(_ text: String, digits: ClosedRange<Int>) -> Bool {
        digits.contains(text.utf8.count)
            && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}

extension Room {
    /// The id as the platform itself writes it: without what tells its clouds apart, or the meetings of a channel.
    public var platformID: String {
        switch platform {
        case .googleMeet: return nativeID
        case .teams:
            guard case .thread(let thread)? = TeamsID(nativeID) else { return nativeID }
            return "19:\(thread.dropFirst(3).prefix { $0 != ":" })"
        case .zoom: return ZoomID(nativeID)?.number ?? nativeID
        }
    }

    /// The room that an id means in whichever spelling: as `MeetingLink(platform:nativeID:)` takes it, or as links have
    /// it. An id that is none names a room in which nothing ever was.
    public init(platform: Platform, anySpelling id: String) {
        let nativeID: String? =
            switch platform {
            case .googleMeet: MeetingLink.meetCode(id)
            case .teams: TeamsID(id)?.text
            case .zoom: nil
            }
        self.init(platform: platform, nativeID: nativeID ?? id)
    }
}
