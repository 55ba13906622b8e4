/// How a simulated bot behaves: what a real meeting, or a real fault, would decide.
public struct Simulation: Sendable {
    /// From its start to the lobby, in ms.
    public var joinMilliseconds = 500
    /// In the lobby, in ms.
    public var lobbyMilliseconds = 1_000
    /// From the beginning of what somebody says to that of the next, in ms.
    public var segmentMilliseconds = 1_000
    /// In the room before it finds itself alone and leaves, in ms; nil stays until it is told to leave.
    public var meetingMilliseconds: Int?
    public var behaviours: Set<Behaviour> = []
    /// The folder for the presence file and that of the acknowledged segments; nil writes none.
    public var presenceFolder: String?

    public init() {}

    func has(_ behaviour: Behaviour) -> Bool { behaviours.contains(behaviour) }

    /// What goes otherwise than in a good meeting. Several may be combined; the one that ends the bot first wins.
    public enum Behaviour: String, CaseIterable, Sendable {
        case neverAdmitted = "never-admitted"
        case rejected
        case joinFailure = "join-failure"
        case noLobby = "no-lobby"
        case needsHelp = "needs-help"
        case alone
        case crashStart = "crash-start"
        case crashJoining = "crash-joining"
        case crashLobby = "crash-lobby"
        case crashActive = "crash-active"
        case hangStart = "hang-start"
        case hangJoining = "hang-joining"
        case hangLobby = "hang-lobby"
        case hangActive = "hang-active"
        case ignoreLeave = "ignore-leave"
        case ignoreTerm = "ignore-term"
        case exitWithoutReport = "exit-without-report"
        case malformedReports = "malformed-reports"
        case staleReports = "stale-reports"
        case forgedReports = "forged-reports"
        case malformedSegments = "malformed-segments"
        case retractions

        /// One sentence, without its full stop.
        public var meaning: String {
            switch self {
            case .neverAdmitted:
                "Nobody lets it in: it waits for automaticLeave.waitingRoomTimeout, then reports failed"
            case .rejected: "Its host turns it away after the time in the lobby: it reports failed"
            case .joinFailure: "It cannot open the meeting: it reports failed after the time for joining"
            case .noLobby: "There is no lobby: it goes from joining to active"
            case .needsHelp: "It reports needs_help after the time in the lobby, and is let in after as long again"
            case .alone: "Nobody else comes: it waits for automaticLeave.noOneJoinedTimeout, then reports completed"
            case .crashStart: "It ends with exit code 70 before its first report"
            case .crashJoining: "It ends with exit code 70 after it reported joining"
            case .crashLobby: "It ends with exit code 70 after it reported awaiting_admission"
            case .crashActive: "It ends with exit code 70 in the room, after the first confirmed segment"
            case .hangStart: "It hangs before its first report: it heeds neither leave nor SIGTERM"
            case .hangJoining: "It hangs after it reported joining"
            case .hangLobby: "It hangs after it reported awaiting_admission"
            case .hangActive: "It hangs in the room, where it stays, after it reported active"
            case .ignoreLeave: "It does not heed the leave command; SIGTERM ends it"
            case .ignoreTerm: "It does not heed SIGTERM; the leave command ends it"
            case .exitWithoutReport: "It ends without its last report"
            case .malformedReports: "Each report is preceded by some that are not valid"
            case .staleReports: "Each report is followed by all earlier ones again"
            case .forgedReports: "Each report is preceded by two that are another's: by their secret, by their id"
            case .malformedSegments: "Each segment is preceded by a stream entry that is not valid"
            case .retractions: "Every third confirmed segment is retracted when the next is confirmed"
            }
        }
    }
}
