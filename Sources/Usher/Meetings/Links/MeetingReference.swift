/// The members by which a request names a meeting: a link, or a platform with its id, or both.
public struct MeetingReference: Sendable {
    public enum Member: String, Sendable {
        case meetingURL = "meeting_url"
        case platform
        case nativeMeetingID = "native_meeting_id"
        case passcode
        case teamsHost = "teams_base_host"
    }

    /// What is wrong with them, as a sentence that follows the member's name.
    public struct Problem: Error, Equatable {
        public let member: Member
        public let reason: String
        /// Whether it is an id that its platform does not have.
        public var isNoID = false
    }

    public var url: String?
    public var platform: Platform?
    public var nativeID: String?
    public var passcode: String?
    public var teamsHost: String?

    public init(
        url: String? = nil, platform: Platform? = nil, nativeID: String? = nil, passcode: String? = nil,
        teamsHost: String? = nil
    ) {
        self.url = url
        self.platform = platform
        self.nativeID = nativeID
        self.passcode = passcode
        self.teamsHost = teamsHost?.lowercased()
    }

    /// The meeting that is meant. Members that say the same must agree: passing over what contradicts the link could send
    /// a bot elsewhere than the caller means.
    public func link() throws(Problem) -> MeetingLink {
        if let teamsHost, !MeetingLink.teamsHosts.contains(teamsHost) {
            throw Problem(
                member: .teamsHost, reason: "must be one of \(MeetingLink.teamsHosts.joined(separator: ", "))")
        }
        guard let url else { return try linkOfID() }
        var link: MeetingLink
        do throws(MeetingLink.Invalid) {
            link = try MeetingLink(url: url)
        } catch {
            // An id that is none is the error, where the link was made from it.
            if let platform, let nativeID { _ = try checked(platform, nativeID) }
            throw Problem(member: .meetingURL, reason: error.reason)
        }
        if let platform, platform != link.room.platform { throw contradiction(.platform) }
        if let nativeID { link = try self.link(link, alsoCalled: nativeID) }
        if let passcode {
            if let known = link.passcode, !known.utf8.elementsEqual(passcode.utf8) { throw contradiction(.passcode) }
            link.take(passcode: passcode)
        }
        if let teamsHost, link.room.platform == .teams, WebLink(link.url)?.host != teamsHost {
            throw contradiction(.teamsHost)
        }
        return link
    }

    /// Checks what is said beside an id against the link, and the passcode, of the meeting that is planned there.
    func check(against url: String, passcode known: String?) throws(Problem) {
        let reason =
            "does not agree with the link of the meeting that is planned there: leave it out, or send meeting_url"
        if let passcode, let known, !known.utf8.elementsEqual(passcode.utf8) {
            throw Problem(member: .passcode, reason: reason)
        }
        if let teamsHost, platform == .teams, WebLink(url)?.host != teamsHost {
            throw Problem(member: .teamsHost, reason: reason)
        }
    }

    private func linkOfID() throws(Problem) -> MeetingLink {
        guard let platform else {
            throw Problem(member: .platform, reason: "is required where there is no meeting_url")
        }
        guard let nativeID else {
            throw Problem(member: .nativeMeetingID, reason: "is required where there is no meeting_url")
        }
        return try checked(platform, nativeID)
    }

    private func checked(_ platform: Platform, _ nativeID: String) throws(Problem) -> MeetingLink {
        do throws(MeetingLink.Invalid) {
            return try MeetingLink(
                platform: platform, nativeID: nativeID, passcode: passcode, teamsHost: teamsHost)
        } catch {
            throw Problem(member: .nativeMeetingID, reason: error.reason, isNoID: true)
        }
    }

    /// The link, with an id beside it that is another name of its meeting.
    private func link(_ link: MeetingLink, alsoCalled nativeID: String) throws(Problem) -> MeetingLink {
        switch link.room.platform {
        case .googleMeet: break
        case .zoom:
            // The link tells the cloud, and the number is the same.
            if let id = ZoomID(nativeID), id.number == ZoomID(link.room.nativeID)?.number, !id.isGovernment {
                return link
            }
        case .teams: return try self.link(link, alsoCalledInTeams: nativeID)
        }
        guard try checked(link.room.platform, nativeID).room == link.room else {
            throw contradiction(.nativeMeetingID)
        }
        return link
    }

    /// A link and an id of MS Teams say different things of one meeting: where one of them is a thread it is the room,
    /// and the other is a name of it.
    private func link(_ link: MeetingLink, alsoCalledInTeams nativeID: String) throws(Problem) -> MeetingLink {
        guard let named = TeamsID(link.room.nativeID), let given = TeamsID(nativeID) else {
            // A channel's thread alone says less than the link.
            if link.room.nativeID.hasPrefix("\(nativeID):"), nativeID.hasPrefix("19:") { return link }
            _ = try checked(.teams, nativeID)
            throw contradiction(.nativeMeetingID)
        }
        var link = link
        switch (named, given) {
        case _ where given.text == named.text: break
        case (_, .digest): link.otherNames.append(given.room)
        case (.thread, .number):
            if !link.otherNames.contains(given.room) { link.otherNames.append(given.room) }
        case (.number, .number) where isDigest(nativeID): link.otherNames.append(given.room)
        case (.number, .thread):
            link = MeetingLink(
                room: given.room, otherNames: [named.room], url: link.url, passcode: link.passcode)
        default: throw contradiction(.nativeMeetingID)
        }
        return link
    }

    /// Whether an id, which may look like a number, was made from the link.
    private func isDigest(_ id: String) -> Bool {
        guard let url else { return false }
        return Digest.sha256(url).prefix(16) == id
    }

    private func contradiction(_ member: Member) -> Problem {
        Problem(member: member, reason: "does not agree with meeting_url: leave it out")
    }
}
