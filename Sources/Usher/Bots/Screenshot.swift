import FoundationEssentials
import Redis
import Scripts

/// A picture of a meeting's page, as a bot sent it. It comes from a bot, so that it is bounded, and is known to be a
/// picture before anybody is shown it.
public struct Screenshot: Sendable {
    /// The longest that is kept, in Base64.
    public static let maximumBytes = 262_144
    static let maximumOutlineBytes = 1_000

    public enum Kind: String, Sendable {
        case jpeg = "image/jpeg"
        case png = "image/png"

        /// By how their files begin (ISO/IEC 10918-1, annex B.1; PNG, section 5.2).
        fileprivate init?(_ bytes: [UInt8]) {
            if bytes.starts(with: [0xff, 0xd8, 0xff]) {
                self = .jpeg
            } else if bytes.starts(with: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) {
                self = .png
            } else {
                return nil
            }
        }
    }

    public let kind: Kind
    public let bytes: [UInt8]
    fileprivate let base64: String
    fileprivate let outline: String

    /// - Parameter outline: what it says of the page, in words.
    /// - Returns: nil for what is none, or too long.
    public init?(base64: String, outline: String = "") {
        guard base64.utf8.count <= Self.maximumBytes, let data = Data(base64Encoded: base64) else { return nil }
        bytes = Array(data)
        guard let kind = Kind(bytes) else { return nil }
        self.kind = kind
        self.base64 = base64
        let scalars = outline.unicodeScalars.filter { $0.properties.generalCategory != .control }
        self.outline = String(
            decoding: String(String.UnicodeScalarView(scalars)).utf8.prefix(Self.maximumOutlineBytes), as: UTF8.self)
    }
}

extension Bots {
    /// How many pictures of a workspace are kept: 5 MiB. And for how long after the last one.
    static let maximumScreenshots = 20
    private static let screenshotsMilliseconds = 30 * 86_400_000

    /// - Returns: false if the bot is not the meeting's any more.
    func keep(_ screenshot: Screenshot, of place: BotPlace) async throws(RedisError) -> Bool {
        let keys = WorkspaceKeys(workspace: place.workspaceID)
        let call = Scripts.KeepScreenshot(
            meetingKey: keys.partition.meeting(place.meetingID), imagesKey: keys.screenshots,
            orderKey: keys.screenshotOrder, meetingID: place.meetingID, botID: place.botID, image: screenshot.base64,
            outline: screenshot.outline, most: Self.maximumScreenshots,
            keepMilliseconds: Self.screenshotsMilliseconds)
        return try await session.run(call) == .kept
    }

    /// The last picture that a bot of the meeting sent; nil if there is none any more.
    public func screenshot(of meeting: Meeting) async throws(RedisError) -> Screenshot? {
        let keys = WorkspaceKeys(workspace: meeting.workspaceID)
        let image = try await session.send(Command("HGET", keys.screenshots, meeting.id)).optionalString()
        return image.flatMap { Screenshot(base64: $0) }
    }
}

extension Meeting {
    /// What the current bot said of the page that it needs help with or failed at, in words; nil if nothing.
    public var pageOutline: String? {
        guard [BotStatus.needsHelp, .failed].map(\.rawValue).contains(botStatus), let botID,
            let text = fields["page_outline"], text.hasPrefix(botID + " ")
        else { return nil }
        return String(text.dropFirst(botID.count + 1))
    }
}
