/// Where a meeting is held. The raw values are the Bots API's.
public enum Platform: String, CaseIterable, Sendable {
    case googleMeet = "google_meet"
    case teams
    case zoom

    /// The name that people know it by.
    public var title: String {
        switch self {
        case .googleMeet: "Google Meet"
        case .teams: "MS Teams"
        case .zoom: "Zoom"
        }
    }
}

/// The place that a bot can be in: at most one bot of a workspace is in a room, or on its way to it.
public struct Room: Hashable, Sendable, CustomStringConvertible {
    public let platform: Platform
    /// The platform's own id, in one spelling: two links to one room give one `nativeID`.
    public let nativeID: String
    /// `platform:nativeID`, as keys have it. Kept, since a dispatch needs it several times.
    public let description: String

    /// Takes an id that is in its one spelling already, as a record has it. `MeetingLink` makes others so.
    public init(platform: Platform, nativeID: String) {
        self.platform = platform
        self.nativeID = nativeID
        description = join(platform.rawValue, ":", nativeID)
    }

    /// The room that a record names: `platform:native_meeting_id`. Nil for another text.
    public init?(_ text: String) {
        guard let colon = text.firstIndex(of: ":"), let platform = Platform(rawValue: String(text[..<colon])) else {
            return nil
        }
        self.init(platform: platform, nativeID: String(text[text.index(after: colon)...]))
    }
}
