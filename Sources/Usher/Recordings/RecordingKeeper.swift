import EventLoop
import Log
import Redis

/// Looks after a folder of recordings: tells the records of those whose bots have ended, however they did, and removes
/// those whose meetings are gone, or were emptied. Any number of keepers may look after one folder; one at a time looks at
/// all of it.
///
/// `@unchecked Sendable`: belongs to the thread of its loop, which waits for the disk and so is nobody else's.
public final class RecordingKeeper: @unchecked Sendable {
    /// From one look at all of the folder to the next, and from one file to the next.
    private static let pauseMilliseconds = 20_000
    private static let filePauseMilliseconds = 5
    private static let timeoutMilliseconds = 5_000
    /// How often a recording whose bot has just ended is looked at, until it is noted.
    private static let attempts = 10
    private static let attemptPauseMilliseconds = 500
    /// A recording of a meeting that Redis does not know is kept for so long: a backup that was restored, or a replica that
    /// took over, may lack what was there before.
    private static let unknownSeconds = 86_400

    private let loop: EventLoop
    private let folder: RecordingFolder
    private let store: Store
    private let logger: Logger
    private var task: Task<Void, Never>?
    private var looking = 0

    /// - Parameter store: of that loop.
    public init(loop: EventLoop, folder: RecordingFolder, store: Store, logger: Logger) {
        self.loop = loop
        self.folder = folder
        self.store = store
        self.logger = logger
    }

    /// Begins to look. On any thread, as is `lookSoon`.
    public func start() {
        loop.execute { [self] in
            task = Task(executorPreference: loop) { [self] in
                while !Task.isCancelled {
                    if let keeping = folder.keep() { await lookAtAll(keeping) }
                    await loop.wait(milliseconds: Self.pauseMilliseconds)
                }
            }
        }
    }

    /// A bot has ended, which may have recorded.
    public func lookSoon(at bot: BotPlace) {
        guard let place = RecordingPlace(bot) else { return }
        loop.execute { [self] in
            looking += 1
            Task(executorPreference: loop) { [self] in
                for _ in 0..<Self.attempts {
                    if await look(at: place) { break }
                    await loop.wait(milliseconds: Self.attemptPauseMilliseconds)
                }
                looking -= 1
            }
        }
    }

    /// Waits until what it was told of last is noted, but not for long, and looks no more.
    public func stop(deadline: MonotonicTime) async {
        while looking > 0, MonotonicTime.now() < deadline { await loop.wait(milliseconds: 20) }
        task?.cancel()
    }

    private func lookAtAll(_: RecordingFolder.Keeping) async {
        for workspace in folder.workspaceIDs {
            for meeting in folder.meetingIDs(ofWorkspace: workspace) {
                for place in folder.places(ofMeeting: meeting, inWorkspace: workspace) {
                    guard !Task.isCancelled else { return }
                    _ = await look(at: place)
                    await loop.wait(milliseconds: Self.filePauseMilliseconds)
                }
            }
        }
    }

    /// - Returns: whether there is nothing left to do about it now.
    private func look(at place: RecordingPlace) async -> Bool {
        guard let file = folder.open(place) else { return true }
        guard !file.isGrowing else { return false }
        let now = WallClock.milliseconds / 1_000
        do throws(RedisError) {
            let note = try await store.session(milliseconds: Self.timeoutMilliseconds).recordings.note(
                place, bytes: file.bytes)
            switch note {
            case .noted:
                logger.info(
                    "Kept a recording",
                    ["meeting_id": place.meetingID, "bot_id": place.botID, "bytes": String(file.bytes)])
            case .known, .tooMany, .unknownWorkspace: break
            case .underWay: return false
            case .unknownMeeting where file.secondsOld(at: now) < Self.unknownSeconds: file.correct(at: now)
            case .unknownMeeting, .deleted:
                let isGone = folder.remove(place)
                logger.info(
                    isGone ? "Removed a recording" : "A recording could not be removed",
                    ["meeting_id": place.meetingID, "bot_id": place.botID, "reason": "\(note)"])
            }
            return true
        } catch {
            return false
        }
    }
}
