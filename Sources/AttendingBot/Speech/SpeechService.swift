import BotWire
import EventLoop
import FoundationEssentials
import HTTP
import JSON

/// A speech service that speaks OpenAI's `POST /v1/audio/transcriptions`. Belongs to its loop's thread.
final class SpeechService {
    /// What is wrong with its address: the end of a sentence that begins with the configuration's field.
    struct Invalid: Error, CustomStringConvertible {
        let description: String
    }

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
        /// has answered with a fault.
        case later(String, afterSeconds: Int?, isFault: Bool)
        /// This sound will not be transcribed.
        case never(String)
    }

    private static let timeoutMilliseconds = 120_000
    private static let maximumTextBytes = 20_000

    private let client: HTTPClient
    private let url: HTTPURL
    private let translations: HTTPURL?
    private let token: String?
    private let model: String
    /// Not every service knows the form of answer that tells the language.
    private var isVerbose = true

    init(loop: EventLoop, url: String, token: String?, model: String?) throws(Invalid) {
        do throws(HTTPURL.Invalid) {
            self.url = try HTTPURL(url)
        } catch {
            throw Invalid(
                description: "\(error), since this bot speaks no TLS: name a proxy on this machine that speaks it")
        }
        let (own, other) = ("/audio/transcriptions", "/audio/translations")
        translations = url.hasSuffix(own) ? try? HTTPURL(url.dropLast(own.count) + other) : nil
        self.token = token
        self.model = model ?? "whisper-1"
        var limits = ClientLimits()
        limits.bodyBytes = 1 << 20
        client = HTTPClient(loop: loop, limits: limits)
    }

    /// What was said in samples of 16 kHz.
    func transcribe(_ samples: [Int16], _ wish: Wish) async throws(Failure) -> Words {
        let response = try await send(samples, wish)
        switch response.status {
        case 200..<300: return try words(in: response.body)
        case 400 where isVerbose, 415 where isVerbose, 422 where isVerbose:
            isVerbose = false
            return try await transcribe(samples, wish)
        case 408, 425, 429, 500...:
            let seconds = response.header("Retry-After").flatMap { Int($0) }
            throw .later(
                "it answers \(response.status)", afterSeconds: seconds.map { max(0, min($0, 60)) },
                isFault: response.status >= 500 && response.status != 503)
        default: throw .never("it answers \(response.status)")
        }
    }

    private func send(_ samples: [Int16], _ wish: Wish) async throws(Failure) -> ClientResponse {
        var form = MultipartForm()
        form.add("model", model)
        form.add("response_format", isVerbose ? "verbose_json" : "json")
        if let language = wish.language { form.add("language", language) }
        form.add("file", fileName: "speech.wav", type: "audio/wav", WAV.file(of: samples))
        var headers = [("Content-Type", form.contentType)]
        if let token { headers.append(("Authorization", "Bearer \(token)")) }
        let url = wish.task == .translate ? translations ?? self.url : self.url
        do throws(ClientError) {
            let deadline = MonotonicTime.now().advanced(byMilliseconds: Self.timeoutMilliseconds)
            return try await client.send(
                ClientRequest(.post, url, headers: headers, body: form.body), deadline: deadline)
        } catch {
            throw .later("\(error)", afterSeconds: nil, isFault: false)
        }
    }

    private func words(in body: [UInt8]) throws(Failure) -> Words {
        let limits = JSONLimits(bytes: 1 << 20, levels: 16, values: 50_000)
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

/// A body of `multipart/form-data` (RFC 7578).
struct MultipartForm {
    private let boundary: String
    private var parts: [UInt8] = []

    init() {
        boundary = "usher-" + String(UInt64.random(in: .min ... .max), radix: 16)
    }

    var contentType: String { "multipart/form-data; boundary=\(boundary)" }
    var body: [UInt8] { parts + "--\(boundary)--\r\n".utf8 }

    mutating func add(_ name: String, _ value: String) {
        let value = value.filter { !$0.isNewline }
        parts += "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n".utf8
    }

    mutating func add(_ name: String, fileName: String, type: String, _ bytes: [UInt8]) {
        parts += "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"; filename=\"\(fileName)\"\r\n".utf8
        parts += "Content-Type: \(type)\r\n\r\n".utf8
        parts += bytes
        parts += "\r\n".utf8
    }
}
