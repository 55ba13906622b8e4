/// What a bot that attends goes by, beside its configuration.
public struct AttendingSettings: Sendable {
    /// The file of a Chromium or Chrome.
    public var browserPath = BrowserProgram.debianPath
    /// Where its profile folder is made.
    public var folder = "/tmp"
    /// Data of platforms that goes before the built-in, as `<platform>.json`; nil: none.
    public var platformsFolder: String?
    /// The lab's address: every meeting is then held on its page, and none elsewhere. nil: meetings are where their links
    /// lead.
    public var labURL: String?
    /// Where a picture of the page is kept if the bot fails, as `<bot_id>.png`; nil: nowhere.
    public var screenshotsFolder: String?
    /// How long a bot that leaves waits for the words of what was said last, in ms.
    public var wordsMilliseconds = 12_000
    /// A profile of the browser, which each bot gets a copy of; nil: a new one.
    public var profileFolder: String?
    /// The file of the certificates by which services are verified; nil: the system's.
    public var certificates: String?
    /// The most that a recording may have, in bytes.
    public var recordingBytes = 536_870_912
    /// The most sound that waits for the speech service, in bytes: an hour of speech, all voices together.
    public var waitingBytes = 115_200_000
    /// How long a page may take to show what it should, in ms.
    public var pageMilliseconds = 60_000
    /// How long it stays at most, in ms.
    public var longestMilliseconds = 14_400_000

    public init() {}
}
