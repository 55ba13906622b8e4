import EventLoop
import FoundationEssentials
import Log

/// Records all voices of a meeting, from the moment that the bot is in the room. Nothing that keeps it from that keeps
/// the bot from attending: it is told. Belongs to its loop's thread.
final class Recorder {
    private static let pauseMilliseconds = 1_000
    /// The most that is written at once, in samples.
    private static let pieceSamples = 10 * WAV.samplesPerSecond

    private let loop: EventLoop
    private let file: RecordingFile?
    private let maximumSamples: Int
    private let logger: Logger
    private let botID: String
    private let began = MonotonicTime.now()
    private var mixer = SoundMixer(start: Date().timeIntervalSince1970)
    private var timer: ScheduledTimer?
    private var lostSamples = 0
    private var reason = ""

    /// - Parameters:
    ///   - path: of the file that is made; nil: there is no place for one.
    ///   - maximumBytes: of the file.
    init(loop: EventLoop, path: String?, maximumBytes: Int, botID: String, logger: Logger) {
        self.loop = loop
        self.logger = logger
        self.botID = botID
        maximumSamples = (maximumBytes - WAV.headerBytes) / 2
        var file: RecordingFile?
        do throws(SystemError) {
            file = try path.map { path throws(SystemError) in try RecordingFile(path) }
            if file == nil { reason = "its runner names no folder for recordings" }
        } catch {
            reason = "\(error)"
        }
        self.file = file
        if file == nil {
            logger.error("Nothing is recorded", ["bot_id": botID, "reason": reason])
        } else {
            logger.info("Recording", ["bot_id": botID, "file": path ?? ""])
            scheduleWrite()
        }
    }

    /// What is wrong with the recording, in a sentence for the meeting's record; nil if nothing is.
    var problem: String? {
        guard file != nil else { return "Nothing was recorded: \(reason)." }
        if mixer.position >= maximumSamples {
            return
                "The recording ends after \(maximumSamples / WAV.samplesPerSecond) s, with the most bytes that it may have."
        }
        guard lostSamples > 0 else { return nil }
        let seconds = (lostSamples + WAV.samplesPerSecond - 1) / WAV.samplesPerSecond
        return "\(seconds) s of the recording are missing: \(reason)."
    }

    func take(_ heard: HeardSound) {
        guard case .sound(let track, let begin, let start, let samples) = heard, file != nil else { return }
        mixer.add(samples, of: track, at: begin, trackStart: start)
    }

    /// Writes the rest.
    func finish() {
        timer?.cancel()
        write(until: now)
    }

    /// In samples since it began.
    private var now: Int {
        MonotonicTime.now().milliseconds(since: began) * (WAV.samplesPerSecond / 1_000)
    }

    private func scheduleWrite() {
        timer = loop.schedule(afterMilliseconds: Self.pauseMilliseconds) { [weak self] in
            guard let self else { return }
            write(until: now - SoundMixer.lateness)
            if mixer.position < maximumSamples { scheduleWrite() }
        }
    }

    private func write(until end: Int) {
        guard let file else { return }
        let end = min(end, maximumSamples)
        while mixer.position < end {
            let position = mixer.position
            let samples = mixer.take(until: min(end, position + Self.pieceSamples))
            do throws(SystemError) {
                try file.write(samples, at: position)
            } catch {
                // A disk may have room again.
                if lostSamples == 0 {
                    logger.error("Sound could not be written", ["bot_id": botID, "reason": "\(error)"])
                }
                lostSamples += samples.count
                reason = error.reason
            }
        }
        if mixer.position >= maximumSamples {
            logger.warning("The recording is as long as it may be", ["bot_id": botID])
        }
    }
}
