import BotWire
import EventLoop
import FoundationEssentials
import Log

/// Sends a recording to the address that the configuration names, part by part, each a WAV file with what it is
/// (docs/attending.md, "Recording"). Belongs to its loop's thread.
///
/// `@unchecked Sendable`: its task runs on that thread too.
final class RecordingUpload: @unchecked Sendable {
    private static let partSamples = 30 * WAV.samplesPerSecond
    /// The most parts that wait: ten minutes, 19 MB.
    private static let maximumWaiting = 20
    private static let timeoutMilliseconds = 60_000
    private static let answerBytes = 4_096
    private static let firstPauseMilliseconds = 500
    private static let longestPauseMilliseconds = 15_000

    private struct Part {
        let number: Int
        let samples: [Int16]
        let isLast: Bool
    }

    /// What is told of a part beside its sound.
    private struct Metadata: Encodable {
        let meetingID: Int?
        let sessionUID: String
        let mediaType = "audio"
        let format = "wav"
        let sampleRate = WAV.samplesPerSecond
        let channels = 1
        let chunkSeq: Int
        let isFinal: Bool
        let durationSeconds: Double
        let fileSizeBytes: Int
        let startTime: String

        enum CodingKeys: String, CodingKey {
            case format, channels
            case meetingID = "meeting_id"
            case sessionUID = "session_uid"
            case mediaType = "media_type"
            case sampleRate = "sample_rate"
            case chunkSeq = "chunk_seq"
            case isFinal = "is_final"
            case durationSeconds = "duration_seconds"
            case fileSizeBytes = "file_size_bytes"
            case startTime = "start_time_utc"
        }
    }

    private let loop: EventLoop
    private let outbound: Outbound
    private let url: String
    private let configuration: BotConfiguration
    private let startTime = WireJSON.timestamp()
    private let logger: Logger
    private let botID: String
    private var samples: [Int16] = []
    private var number = 0
    private var waiting: [Part] = []
    private var isSending = false
    private let givingUp: Signal<Void>
    private var lostSamples = 0
    private var reason = ""

    init(
        loop: EventLoop, outbound: Outbound, url: String, configuration: BotConfiguration, botID: String, logger: Logger
    ) {
        (self.loop, self.outbound, self.url) = (loop, outbound, url)
        (self.configuration, self.botID, self.logger) = (configuration, botID, logger)
        givingUp = Signal(loop: loop)
    }

    /// How many samples did not arrive, and why not.
    var loss: (samples: Int, reason: String)? { lostSamples > 0 ? (lostSamples, reason) : nil }

    func add(_ new: [Int16]) {
        samples += new
        while samples.count >= Self.partSamples {
            enqueue(Part(number: number, samples: Array(samples.prefix(Self.partSamples)), isLast: false))
            samples.removeFirst(Self.partSamples)
        }
    }

    /// No more comes.
    func end() {
        enqueue(Part(number: number, samples: samples, isLast: true))
        samples = []
    }

    /// Sends the rest, until `deadline`.
    func finish(deadline: MonotonicTime) async {
        while isSending, MonotonicTime.now() < deadline { await loop.wait(milliseconds: 20) }
        givingUp.raise(())
        for part in waiting { lose(part, "the bot left before it had been taken") }
        waiting = []
    }

    private func enqueue(_ part: Part) {
        number += 1
        waiting.append(part)
        if waiting.count > Self.maximumWaiting {
            // The first one may be on its way.
            lose(waiting.remove(at: 1), "it was not taken for too long")
        }
        guard !isSending else { return }
        isSending = true
        Task(executorPreference: loop) { await self.send() }
    }

    private func send() async {
        var pause = Self.firstPauseMilliseconds
        while let part = waiting.first, givingUp.value == nil {
            let answer = await outbound.post(
                form(of: part), to: url, token: configuration.token, timeoutMilliseconds: Self.timeoutMilliseconds,
                keptBytes: Self.answerBytes)
            guard givingUp.value == nil else { break }
            if let (reason, seconds) = answer.trouble {
                logger.warning("A part of the recording is not taken", ["bot_id": botID, "reason": reason])
                _ = await givingUp.wait(milliseconds: max(pause, (seconds ?? 0) * 1_000))
                pause = min(2 * pause, Self.longestPauseMilliseconds)
                continue
            }
            pause = Self.firstPauseMilliseconds
            waiting.removeFirst()
            let status = answer.status ?? 0
            if !(200..<300).contains(status) { lose(part, "its place answers \(status)") }
        }
        isSending = false
    }

    private func lose(_ part: Part, _ reason: String) {
        guard !part.samples.isEmpty else { return }
        logger.error("A part of the recording is lost", ["bot_id": botID, "reason": reason])
        lostSamples += part.samples.count
        self.reason = reason
    }

    private func form(of part: Part) -> MultipartForm {
        let file = WAV.file(of: part.samples)
        let metadata = Metadata(
            meetingID: configuration.meetingNumber, sessionUID: botID, chunkSeq: part.number, isFinal: part.isLast,
            durationSeconds: Double(part.samples.count) / Double(WAV.samplesPerSecond), fileSizeBytes: file.count,
            startTime: startTime)
        var form = MultipartForm()
        form.add("metadata", WireJSON.text(metadata))
        form.add("file", fileName: "recording-\(part.number).wav", type: "audio/wav", file)
        return form
    }
}
