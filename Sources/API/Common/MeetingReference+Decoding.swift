import Usher

extension MeetingReference {
    private enum CodingKeys: String, CodingKey {
        case meetingURL = "meeting_url"
        case platform
        case nativeMeetingID = "native_meeting_id"
        case passcode
        case teamsHost = "teams_base_host"
    }

    /// - Throws: `APIError` 422 that names the member which is wrong by itself.
    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            // What people paste has line ends around it; its length is the link's own to bound.
            url: try container.decodeIfPresent(String.self, forKey: .meetingURL),
            platform: try container.text(.platform, maximum: 40).map { try Platform(named: $0) },
            nativeID: try container.decodeIfPresent(String.self, forKey: .nativeMeetingID),
            passcode: try container.text(.passcode, maximum: 100),
            teamsHost: try container.text(.teamsHost, maximum: 253))
    }
}

extension APIError {
    init(_ problem: MeetingReference.Problem) {
        self = .invalid(problem.member.rawValue, problem.reason)
    }
}
