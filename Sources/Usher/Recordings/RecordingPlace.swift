/// Where the recording of a bot lies in a folder of recordings. Its parts become parts of a path, so that each has the
/// form of such an id and no other.
public struct RecordingPlace: Hashable, Sendable {
    private static let suffix = ".wav"

    public let workspaceID: String
    public let meetingID: String
    public let botID: String

    /// - Returns: nil for what are no ids of that kind.
    public init?(workspaceID: String, meetingID: String, botID: String) {
        guard Identifier.isUUID(workspaceID), Identifier.isHex(meetingID), Identifier.isUUID(botID) else { return nil }
        (self.workspaceID, self.meetingID, self.botID) = (workspaceID, meetingID, botID)
    }

    public init?(_ place: BotPlace) {
        self.init(workspaceID: place.workspaceID, meetingID: place.meetingID, botID: place.botID)
    }

    /// - Parameter name: of a file in the meeting's folder.
    init?(workspaceID: String, meetingID: String, fileName name: String) {
        guard name.hasSuffix(Self.suffix) else { return nil }
        self.init(
            workspaceID: workspaceID, meetingID: meetingID, botID: String(name.dropLast(Self.suffix.count)))
    }

    var fileName: String { botID + Self.suffix }
    /// Of the file, from the folder on.
    public var path: String { "\(workspaceID)/\(meetingID)/\(fileName)" }
}
