import BotWire
import EventLoop
import Log

/// Records all voices of a meeting, from the moment that the bot is in the room. Nothing that keeps it from that keeps
/// the bot from attending: it is told. Belongs to its loop's thread.
final class Recorder {
    /// Where what is heard goes.
    enum Place {
        case file(RecordingFile)
        case upload(RecordingUpload)
        /// With the reason.
        case none(String)
    }

    private static let pauseMilliseconds = 1_000
    /// The most that is written at once, in samples.
    private static let pieceSamples = 10 * WAV.samplesPerSecond

    private let loop: EventLoop
    private let place: Place
    private let maximumSamples: Int
    private let logger: Logger
    private let botID: String
    private let began = MonotonicTime.now()
    private var mixer: SoundMixer
    private var timer: ScheduledTimer?
    private var unwrittenSamples = 0
    private var reason = ""

    /// - Parameters:
    ///   - start: now, by the page's clock, in seconds since 1970.
    ///   - maximumBytes: of all of it.
    init(loop: EventLoop, place: Place, start: Double, maximumBytes: Int, botID: String, logger: Logger) {
        (self.loop, self.place) = (loop, place)
        mixer = SoundMixer(start: start)
        (self.botID, self.logger) = (botID, logger)
        maximumSamples = (maximumBytes - WAV.headerBytes) / 2
        if case .none(let reason) = place {
            logger.error("Nothing is recorded", ["bot_id": botID, "reason": reason])
        } else {
            logger.info("Recording", ["bot_id": botID])
            scheduleWrite()
        }
    }

    /// What is wrong with the recording, in a sentence for the meeting's record; nil if nothing is.
    var problem: String? {
        var loss: (samples: Int, reason: String)?
        switch place {
        case .none(let reason): return "Nothing was recorded: \(reason)."
        case .file: loss = unwrittenSamples > 0 ? (unwrittenSamples, reason) : nil
        case .upload(let upload): loss = upload.loss
        }
        var sentences: [String] = []
        if let loss {
            let seconds = (loss.samples + WAV.samplesPerSecond - 1) / WAV.samplesPerSecond
            sentences.append("\(seconds) s of the recording are missing: \(loss.reason).")
        }
        if isMissingSound {
            let seconds = mixer.droppedSamples / WAV.samplesPerSecond
            sentences.append("\(seconds) s of sound are not in the recording: they came too late for it.")
        }
        if isFull {
            let seconds = maximumSamples / WAV.samplesPerSecond
            sentences.append("The recording ends after \(seconds) s, with the most bytes that it may have.")
        }
        return sentences.isEmpty ? nil : sentences.joined(separator: " ")
    }

    func take(_ heard: HeardSound) {
        guard timer != nil else { return }
        switch heard {
        case .sound(let track, let begin, let start, let samples):
            let wasMissingSound = isMissingSound
            mixer.add(samples, of: track, at: begin, trackStart: start)
            if isMissingSound, !wasMissingSound {
                logger.warning("Sound has no place in the recording: it is too late", ["bot_id": botID])
            }
        case .end(let track): mixer.forget(track)
        case .silence, .name: break
        }
    }

    /// Writes the rest.
    func end() {
        timer?.cancel()
        timer = nil
        write(until: now)
        if case .upload(let upload) = place { upload.end() }
    }

    /// Waits until all has arrived, but not beyond `deadline`.
    func finish(deadline: MonotonicTime) async {
        if case .upload(let upload) = place { await upload.finish(deadline: deadline) }
    }

    private var isMissingSound: Bool { mixer.droppedSamples >= WAV.samplesPerSecond }

    private var isFull: Bool { mixer.position >= maximumSamples }

    /// In samples since it began.
    private var now: Int {
        MonotonicTime.now().milliseconds(since: began) * (WAV.samplesPerSecond / 1_000)
    }

    private func scheduleWrite() {
        timer = loop.schedule(afterMilliseconds: Self.pauseMilliseconds) { [weak self] in
            guard let self else { return }
            write(until: now - SoundMixer.lateness)
            if isFull {
                timer = nil
                logger.warning("The recording is as long as it may be", ["bot_id": botID])
            } else {
                scheduleWrite()
            }
        }
    }

    private func write(until end: Int) {
        let end = min(end, maximumSamples)
        while mixer.position < end {
            let position = mixer.position
            let samples = mixer.take(until: min(end, position + Self.pieceSamples))
            switch place {
            case .file(let file): write(samples, at: position, to: file)
            case .upload(let upload): upload.add(samples)
            case .none: break
            }
        }
    }

    private func write(_ samples: [Int16], at position: Int, to file: RecordingFile) {
        do throws(SystemError) {
            try file.write(samples, at: position)
        } catch {
            // A disk may have room again.
            if unwrittenSamples == 0 {
                logger.error("Sound could not be written", ["bot_id": botID, "reason": "\(error)"])
            }
            unwrittenSamples += samples.count
            reason = error.reason
        }
    }
}
