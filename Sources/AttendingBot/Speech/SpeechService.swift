import BotWire
import EventLoop
import FoundationEssentials
import JSON
import Transfers

/// A speech service that speaks OpenAI's `POST /v1/audio/transcriptions`. Belongs to its loop's thread.
final class SpeechService {
    /// What is to be made of sound.
    struct Wish: Equatable {
        var language: String?
        var task: BotConfiguration.Task?
    }

    struct Words: Equatable {
        /// Empty if nothing was said.
        let text: String
        /// A code such as `en`; nil if the service does not tell.
        let language: String?
    }

    enum Failure: Error, Equatable {
        /// It may go better later, at the earliest after so many seconds; or it never will with this sound, if the service
        /// has taken it and answered with a fault, or not at all.
        case later(String, afterSeconds: Int?, isFault: Bool)
        /// This sound will not be transcribed.
        case never(String)
    }

    private static let maximumTextBytes = 20_000
    private static let maximumAnswerBytes = 1 << 20

    private let outbound: Outbound
    private let url: String
    private let translations: String?
    private let token: String?
    private let model: String
    /// Not every service knows the form of answer that tells the language.
    private var isVerbose = true

    /// - Throws: `Outbound.Invalid` for what is no address of a service.
    init(_ outbound: Outbound, url: String, token: String?, model: String?) throws(Outbound.Invalid) {
        try Outbound.check(url)
        self.outbound = outbound
        self.url = url
        let (own, other) = ("/audio/transcriptions", "/audio/translations")
        translations = url.hasSuffix(own) ? url.dropLast(own.count) + other : nil
        self.token = token
        self.model = model ?? "whisper-1"
    }

    /// What was said in samples of 16 kHz.
    /// - Parameter milliseconds: how long the answer may take.
    func transcribe(
        _ samples: [Int16], _ wish: Wish, within milliseconds: Int = 120_000
    ) async throws(Failure) -> Words {
        let answer = await send(samples, wish, within: milliseconds)
        let status = answer.status ?? 0
        if let (reason, seconds) = answer.trouble {
            throw .later(reason, afterSeconds: seconds, isFault: status >= 500 && status != 503 || answer.isLate)
        }
        switch status {
        case 200..<300: return try words(in: answer.firstBytes)
        case 400 where isVerbose, 415 where isVerbose, 422 where isVerbose:
            isVerbose = false
            return try await transcribe(samples, wish, within: milliseconds)
        default: throw .never("it answers \(status)")
        }
    }

    private func send(_ samples: [Int16], _ wish: Wish, within milliseconds: Int) async -> TransferAnswer {
        var form = MultipartForm()
        form.add("model", model)
        form.add("response_format", isVerbose ? "verbose_json" : "json")
        if let language = wish.language { form.add("language", language) }
        form.add("file", fileName: "speech.wav", type: "audio/wav", WAV.file(of: samples))
        return await outbound.post(
            form, to: wish.task == .translate ? translations ?? url : url, token: token,
            timeoutMilliseconds: milliseconds, keptBytes: Self.maximumAnswerBytes)
    }

    private func words(in body: [UInt8]) throws(Failure) -> Words {
        let limits = JSONLimits(bytes: Self.maximumAnswerBytes, levels: 16, values: 50_000)
        guard let answer = try? Answer(json: body, limits: limits) else {
            // Nonsense from a service that is being started or stopped is as common as a wrong address.
            throw .later("its answer cannot be read", afterSeconds: nil, isFault: true)
        }
        let text = Self.plain(answer.text)
        return Words(text: text.shortened(toBytes: Self.maximumTextBytes), language: answer.language.flatMap(Self.code))
    }

    private static func plain(_ text: String) -> String {
        let parts = text.split { $0.isWhitespace || $0.unicodeScalars.contains { $0.value < 0x20 } }
        return parts.joined(separator: " ")
    }

    /// Services tell languages by their codes or by their English names.
    private static func code(_ language: String) -> String? {
        let word = language.lowercased()
        if let code = codes[word] { return code }
        let isCode = (2...3).contains(word.utf8.count) && word.allSatisfy { $0.isASCII && $0.isLetter }
        return isCode ? word : nil
    }

    private static let codes = [
        "arabic": "ar", "chinese": "zh", "czech": "cs", "danish": "da", "dutch": "nl", "english": "en",
        "finnish": "fi", "french": "fr", "german": "de", "greek": "el", "hebrew": "he", "hindi": "hi",
        "hungarian": "hu", "italian": "it", "japanese": "ja", "korean": "ko", "norwegian": "no", "polish": "pl",
        "portuguese": "pt", "romanian": "ro", "russian": "ru", "spanish": "es", "swedish": "sv", "turkish": "tr",
        "ukrainian": "uk", "vietnamese": "vi",
    ]

    private struct Answer: Decodable {
        let text: String
        let language: String?
    }
}
