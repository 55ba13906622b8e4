import BotWire
import EventLoop
import FoundationEssentials
import Log

/// Makes a transcript of what `capture.js` hears: tracks into utterances, utterances into words, and both into segments.
/// Nothing that was said is lost without a word: what could not be transcribed is told by a segment of its own. Belongs
/// to its loop's thread.
///
/// `@unchecked Sendable`: its tasks run on that thread too.
final class Listener: @unchecked Sendable {
    private static let firstPauseMilliseconds = 500
    private static let longestPauseMilliseconds = 15_000
    /// How much sound waits for the service, in samples of all tracks: half an hour of speech, 58 MB.
    private static let maximumWaitingSamples = 1_800 * WAV.samplesPerSecond
    /// How often the service may answer an utterance with a fault before that is given up, and before the next one is tried.
    private static let maximumFaults = 9
    private static let faultsInARow = 3
    /// How long the service is not asked once the bot is about to end, in ms.
    private static let lastPauseMilliseconds = 1_000
    /// How many segments of a track are told anew once it is known whose they are.
    private static let maximumUnnamed = 200
    /// Of how many voices that have ended it is still known whose they were.
    private static let maximumEnded = 64

    /// One voice, as far as is known.
    private struct Track {
        var activity = VoiceActivity()
        /// Of its first sample, in seconds since 1970.
        var start = 0.0
        var votes: [String: Int] = [:]
        var name: String?
        var unnamed: [TranscriptSegment] = []
    }

    /// An utterance that waits for its words.
    private struct Waiting {
        let track: Int
        let utterance: VoiceActivity.Utterance
        let start: Double
        let end: Double
        /// How it is to be transcribed: as was asked when it was said.
        let wish: SpeechService.Wish
        /// How often the service has answered it with a fault.
        var faults = 0
    }

    private let loop: EventLoop
    private let service: SpeechService
    private let session: TranscriptSession
    private let logger: Logger
    private var tracks: [Int: Track] = [:]
    /// In order.
    private var ended: [Int] = []
    private var queue: [Waiting] = []
    private var waitingSamples = 0
    private var draft: Waiting?
    /// The segments of which drafts were told.
    private var drafted: Set<String> = []
    private var isWorking = false
    private var isFinishing = false
    /// The service is to be asked without long pauses, as the bot is about to end.
    private let hurry: Signal<Void>
    private let finishing: Signal<Void>
    /// What the next utterances are transcribed by.
    var wish: SpeechService.Wish

    init(
        loop: EventLoop, service: SpeechService, session: TranscriptSession, wish: SpeechService.Wish, logger: Logger
    ) {
        self.loop = loop
        self.service = service
        self.session = session
        self.wish = wish
        self.logger = logger
        hurry = Signal(loop: loop)
        finishing = Signal(loop: loop)
    }

    /// What the page tells.
    func take(_ heard: HeardSound) {
        guard !isFinishing else { return }
        if tracks[heard.track] == nil {
            tracks[heard.track] = Track()
            logger.info("Hears a voice", ["bot_id": session.id, "track": String(heard.track)])
        }
        switch heard {
        case .sound(let number, let begin, let start, let samples):
            tracks[number]?.start = start
            add(tracks[number]?.activity.take(samples, at: begin) ?? [], of: number)
        case .silence(let number, let begin, let start):
            tracks[number]?.start = start
            add(tracks[number]?.activity.skip(to: begin) ?? [], of: number)
        case .name(let number, let name, let weight): vote(number, name, weight)
        case .end(let number):
            if let rest = tracks[number]?.activity.finish() { add([rest], of: number) }
            ended.append(number)
            if ended.count > Self.maximumEnded { tracks[ended.removeFirst()] = nil }
        }
    }

    /// Transcribes what is left, until `deadline`; what is not by then is told to be missing.
    func finish(deadline: MonotonicTime) async {
        for number in tracks.keys.sorted() {
            if let rest = tracks[number]?.activity.finish() { add([rest], of: number) }
        }
        isFinishing = true
        draft = nil
        hurry.raise(())
        while isWorking, finishing.value == nil, MonotonicTime.now() < deadline { await loop.wait(milliseconds: 20) }
        finishing.raise(())
        let left = queue
        queue = []
        for waiting in left { tellGap(waiting, "the bot left before the speech service had answered") }
    }

    /// Waits for the service no longer.
    func giveUp() { finishing.raise(()) }

    // MARK: Speakers

    private func vote(_ number: Int, _ name: String, _ weight: Int) {
        guard var track = tracks[number] else { return }
        // A room has no more people than this.
        guard track.votes[name] != nil || track.votes.count < 100 else { return }
        track.votes[name, default: 0] += weight
        let best = track.votes.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
        if let best, best != track.name {
            let unnamed = track.name == nil ? track.unnamed : []
            track.name = best
            track.unnamed = []
            for segment in unnamed { session.send(segment.said(by: best)) }
        }
        tracks[number] = track
    }

    private func speaker(of number: Int) -> String { tracks[number]?.name ?? "Unknown \(number)" }

    // MARK: Words

    private func add(_ utterances: [VoiceActivity.Utterance], of number: Int) {
        guard let start = tracks[number]?.start, start > 0 else { return }
        for utterance in utterances {
            let seconds = Double(WAV.samplesPerSecond)
            let waiting = Waiting(
                track: number, utterance: utterance, start: start + Double(utterance.begin) / seconds,
                end: start + Double(utterance.end) / seconds, wish: wish)
            if utterance.isWhole {
                if draft?.track == number { draft = nil }
                queue.append(waiting)
                waitingSamples += utterance.samples.count
                while waitingSamples > Self.maximumWaitingSamples, queue.count > 1 {
                    // The first one may be with the service just now.
                    let dropped = queue.remove(at: isWorking ? 1 : 0)
                    waitingSamples -= dropped.utterance.samples.count
                    tellGap(dropped, "the speech service did not answer for too long")
                }
            } else {
                draft = waiting
            }
        }
        guard !isWorking, !queue.isEmpty || draft != nil else { return }
        isWorking = true
        Task(executorPreference: loop) { await self.work() }
    }

    private func work() async {
        while true {
            if let next = queue.first {
                await transcribe(next)
                if finishing.value != nil { break }
            } else if let next = draft {
                draft = nil
                // Nobody waits for a draft: it is tried once.
                guard let words = try? await service.transcribe(next.utterance.samples, next.wish) else { continue }
                let isOver = queue.contains { $0.track == next.track }
                if !isOver, finishing.value == nil { tell(next, words) }
            } else {
                break
            }
        }
        isWorking = false
    }

    /// Tries for as long as the service is away, or until the bot ends. One that it answers with faults makes room for the
    /// next, and is given up in the end: it may be the sound that is at fault.
    private func transcribe(_ waiting: Waiting) async {
        var waiting = waiting
        var pause = Self.firstPauseMilliseconds
        var isTold = false
        while true {
            do throws(SpeechService.Failure) {
                let words = try await service.transcribe(waiting.utterance.samples, waiting.wish)
                guard removeFirst(waiting) else { return }
                tell(waiting, words)
                if isTold { logger.info("The speech service answers again", ["bot_id": session.id]) }
                return
            } catch {
                switch error {
                case .never(let reason):
                    guard removeFirst(waiting) else { return }
                    logger.error("The speech service refuses sound", ["bot_id": session.id, "reason": reason])
                    return tellGap(waiting, "the speech service refused it: \(reason)")
                case .later(let reason, let seconds, let isFault):
                    if isFault {
                        waiting.faults += 1
                        if waiting.faults >= Self.maximumFaults {
                            guard removeFirst(waiting) else { return }
                            return tellGap(waiting, "the speech service failed at it: \(reason)")
                        }
                        if waiting.faults % Self.faultsInARow == 0, queue.count > 1, removeFirst(waiting) {
                            queue.append(waiting)
                            waitingSamples += waiting.utterance.samples.count
                            return
                        }
                    }
                    if !isTold {
                        logger.warning("The speech service does not answer", ["bot_id": session.id, "reason": reason])
                    }
                    isTold = true
                    let wait = max(pause, (seconds ?? 0) * 1_000)
                    if hurry.value == nil {
                        _ = await hurry.wait(milliseconds: wait)
                    } else {
                        _ = await finishing.wait(milliseconds: min(wait, Self.lastPauseMilliseconds))
                    }
                    if finishing.value != nil { return }
                    pause = min(2 * pause, Self.longestPauseMilliseconds)
                }
            }
        }
    }

    /// - Returns: false if it waits no more.
    private func removeFirst(_ waiting: Waiting) -> Bool {
        guard finishing.value == nil, let first = queue.first, first.track == waiting.track,
            first.utterance.number == waiting.utterance.number
        else { return false }
        queue.removeFirst()
        waitingSamples -= first.utterance.samples.count
        return true
    }

    /// A draft, or what takes its place.
    private func tell(_ waiting: Waiting, _ words: SpeechService.Words) {
        let isWhole = waiting.utterance.isWhole
        let segment = segment(waiting, words.text, waiting.wish.language ?? words.language, completed: isWhole)
        if isWhole, drafted.remove(segment.segmentID) != nil, words.text.isEmpty {
            session.retract([segment.segmentID])
        }
        guard !words.text.isEmpty else { return }
        if !isWhole { drafted.insert(segment.segmentID) }
        session.send(segment)
        guard isWhole, let track = tracks[waiting.track], track.name == nil else { return }
        tracks[waiting.track]?.unnamed.append(segment)
        if track.unnamed.count >= Self.maximumUnnamed { tracks[waiting.track]?.unnamed.removeFirst() }
    }

    private func tellGap(_ waiting: Waiting, _ reason: String) {
        session.send(segment(waiting, "[Not transcribed: \(reason).]", nil, completed: true))
    }

    private func segment(
        _ waiting: Waiting, _ text: String, _ language: String?, completed: Bool
    ) -> TranscriptSegment {
        let origin = session.startDate.timeIntervalSince1970
        let begin = max(0, waiting.start - origin)
        return TranscriptSegment(
            segmentID: "\(session.id):\(waiting.track):\(waiting.utterance.number)",
            speaker: speaker(of: waiting.track),
            speakerKey: "track-\(waiting.track)", text: text, start: begin,
            end: max(begin + 0.001, waiting.end - origin),
            language: language, completed: completed, startDate: session.startDate, source: "audio")
    }
}
