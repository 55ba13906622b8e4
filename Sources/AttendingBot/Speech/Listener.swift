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
    /// How often the service may answer an utterance with a fault before that is given up, and before the next one is tried.
    private static let maximumFaults = 9
    private static let faultsInARow = 3
    /// How long the words of a draft are of use.
    private static let draftMilliseconds = 30_000
    /// How long the service is not asked once the bot is about to end, in ms.
    private static let lastPauseMilliseconds = 1_000
    /// How many segments of a track are told anew once it is known whose they are.
    private static let maximumUnnamed = 200
    /// Of how many voices that have ended it is still known whose they were.
    private static let maximumEnded = 64

    /// One voice, as far as is known.
    private struct Track {
        var activity = VoiceActivity()
        /// Of the last utterance that has ended.
        var lastWhole = 0
        /// Of its first sample, in seconds since 1970.
        var start = 0.0
        var votes: [String: Int] = [:]
        var name: String?
        var unnamed: [TranscriptSegment] = []
    }

    /// An utterance that waits for its words.
    private struct Waiting {
        let track: Int
        /// As of `VoiceActivity.Utterance`.
        let number: Int
        let isWhole: Bool
        let sound: WaitingSound.Place
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
    /// When the session began, in seconds since 1970 by the page's clock.
    private let origin: Double
    /// All that is in the queue.
    private let store: WaitingSound
    private let logger: Logger
    private var tracks: [Int: Track] = [:]
    /// In order.
    private var ended: [Int] = []
    private var queue: [Waiting] = []
    private var draft: Waiting?
    /// That of a draft which is with the service: raised when it is waited for no longer.
    private var draftEnd: Signal<Void>?
    /// The segments of which drafts were told.
    private var drafted: Set<String> = []
    private var isWorking = false
    private var isFinishing = false
    /// The service is to be asked without long pauses, as the bot is about to end.
    private let hurry: Signal<Void>
    private let finishing: Signal<Void>
    /// What the next utterances are transcribed by.
    var wish: SpeechService.Wish

    /// - Parameter origin: when the session began, in seconds since 1970 by the page's clock.
    init(
        loop: EventLoop, service: SpeechService, session: TranscriptSession, origin: Double, store: WaitingSound,
        wish: SpeechService.Wish, logger: Logger
    ) {
        self.loop = loop
        self.service = service
        self.session = session
        self.origin = origin
        self.store = store
        self.wish = wish
        self.logger = logger
        hurry = Signal(loop: loop)
        finishing = Signal(loop: loop)
        if let problem = store.problem {
            logger.warning("Sound has to wait in memory", ["bot_id": session.id, "reason": "\(problem)"])
        }
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
        draftEnd?.raise(())
        hurry.raise(())
        while isWorking, finishing.value == nil, MonotonicTime.now() < deadline { await loop.wait(milliseconds: 20) }
        finishing.raise(())
        let left = queue
        queue = []
        session.send(last: left.map { gap($0, "the bot left before the speech service had answered") })
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
            if utterance.isWhole {
                if draft?.track == number { draft = nil }
                tracks[number]?.lastWhole = utterance.number
                draftEnd?.raise(())
                enqueue(utterance, of: number, since: start)
            } else {
                draft = waiting(utterance, of: number, since: start, sound: .memory(utterance.samples))
            }
        }
        guard !isWorking, !queue.isEmpty || draft != nil else { return }
        isWorking = true
        Task(executorPreference: loop) { await self.work() }
    }

    /// Makes room for it by what has waited for longest, but for what may be with the service just now. Where the disk gives
    /// nothing back that would lose all that waits: then it is the new one that is not kept.
    private func enqueue(_ utterance: VoiceActivity.Utterance, of number: Int, since start: Double) {
        let first = isWorking ? 1 : 0
        while !store.hasRoom(for: utterance.samples.count), store.givesBack, queue.count > first {
            let dropped = queue.remove(at: first)
            store.release(dropped.sound)
            tellGap(dropped, "the speech service did not answer for too long")
        }
        let isKept = queue.isEmpty || store.hasRoom(for: utterance.samples.count)
        if isKept, let place = store.keep(utterance.samples) {
            queue.append(waiting(utterance, of: number, since: start, sound: place))
            return
        }
        let reason = store.problem.map { "\($0)" } ?? "too much waits for the speech service"
        logger.error("Sound cannot be kept", ["bot_id": session.id, "reason": reason])
        tellGap(waiting(utterance, of: number, since: start, sound: .memory([])), "it could not be kept: \(reason)")
    }

    private func waiting(
        _ utterance: VoiceActivity.Utterance, of number: Int, since start: Double, sound: WaitingSound.Place
    ) -> Waiting {
        let seconds = Double(WAV.samplesPerSecond)
        return Waiting(
            track: number, number: utterance.number, isWhole: utterance.isWhole, sound: sound,
            start: start + Double(utterance.begin) / seconds, end: start + Double(utterance.end) / seconds, wish: wish)
    }

    private func work() async {
        while true {
            if let next = queue.first {
                await transcribe(next)
                if finishing.value != nil { break }
            } else if let next = draft {
                draft = nil
                let end = Signal<Void>(loop: loop)
                draftEnd = end
                Task(executorPreference: loop) {
                    await self.transcribe(draft: next)
                    end.raise(())
                }
                // What has been said whole does not wait for the words of a draft.
                _ = await end.wait(milliseconds: .max)
                draftEnd = nil
            } else {
                break
            }
        }
        isWorking = false
    }

    /// Nobody waits for a draft: it is tried once.
    private func transcribe(draft next: Waiting) async {
        guard let samples = try? store.samples(at: next.sound),
            let words = try? await service.transcribe(samples, next.wish, within: Self.draftMilliseconds)
        else { return }
        let isOver = next.number <= tracks[next.track]?.lastWhole ?? .max
        if !isOver, !isFinishing { tell(next, words) }
    }

    /// Tries for as long as the service is away, or until the bot ends. One that it answers with faults makes room for the
    /// next, and is given up in the end: it may be the sound that is at fault.
    private func transcribe(_ waiting: Waiting) async {
        var waiting = waiting
        var pause = Self.firstPauseMilliseconds
        var isTold = false
        let samples: [Int16]
        do throws(SystemError) {
            samples = try store.samples(at: waiting.sound)
        } catch {
            guard removeFirst(waiting) else { return }
            logger.error("Sound is lost", ["bot_id": session.id, "reason": "\(error)"])
            return tellGap(waiting, "it was lost: \(error)")
        }
        while true {
            do throws(SpeechService.Failure) {
                let words = try await service.transcribe(samples, waiting.wish)
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
                        if waiting.faults % Self.faultsInARow == 0, queue.count > 1, isFirst(waiting) {
                            queue.removeFirst()
                            queue.append(waiting)
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
        guard isFirst(waiting) else { return false }
        queue.removeFirst()
        store.release(waiting.sound)
        return true
    }

    private func isFirst(_ waiting: Waiting) -> Bool {
        guard finishing.value == nil, let first = queue.first else { return false }
        return first.track == waiting.track && first.number == waiting.number
    }

    /// A draft, or what takes its place.
    private func tell(_ waiting: Waiting, _ words: SpeechService.Words) {
        let isWhole = waiting.isWhole
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
        session.send(gap(waiting, reason))
    }

    private func gap(_ waiting: Waiting, _ reason: String) -> TranscriptSegment {
        segment(waiting, "[Not transcribed: \(reason).]", nil, completed: true)
    }

    private func segment(
        _ waiting: Waiting, _ text: String, _ language: String?, completed: Bool
    ) -> TranscriptSegment {
        let begin = max(0, waiting.start - origin)
        return TranscriptSegment(
            segmentID: "\(session.id):\(waiting.track):\(waiting.number)",
            speaker: speaker(of: waiting.track),
            speakerKey: "track-\(waiting.track)", text: text, start: begin,
            end: max(begin + 0.001, waiting.end - origin),
            language: language, completed: completed, startDate: session.startDate, source: "audio")
    }
}
