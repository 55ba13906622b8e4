import BotWire
import FoundationEssentials
import JSON

/// How a platform's page is dealt with: data, not code (`Platforms/*.json`), so that a page that has changed needs no new
/// build (`--platforms`).
public struct Platform: Sendable {
    /// What is wrong with the data of a platform: one sentence.
    public struct Invalid: Error, Equatable, CustomStringConvertible {
        public let description: String
    }

    private static let maximumBytes = 65_536

    /// As in messages.
    let name: String
    /// Where the meeting is: `{url}` is the configuration's, `{lab}` the lab's address, `{id}` the native id.
    private let address: String
    /// The data as the page gets it.
    let json: String

    /// The data of a platform by its name (`google_meet`, `teams`, `page`).
    /// - Parameter folder: looked into first, for `<name>.json`; nil: the built-in data alone.
    /// - Throws: `Invalid` if there is none for it, or none that can be used.
    public init(_ name: String, folder: String? = nil) throws(Invalid) {
        if let folder {
            guard FileManager.default.fileExists(atPath: folder) else {
                throw Invalid(description: "There is no folder \(folder) of data on platforms.")
            }
            let file = "\(folder)/\(name).json"
            if FileManager.default.fileExists(atPath: file) {
                guard let bytes = try? Data(contentsOf: URL(fileURLWithPath: file)) else {
                    throw Invalid(description: "\(file) cannot be read.")
                }
                try self.init(bytes: Array(bytes), name: name, file: file)
                return
            }
        }
        guard let bytes = Self.builtIn[name] else {
            throw Invalid(description: "There is no data on how to attend meetings of \(name).")
        }
        try self.init(bytes: bytes, name: name, file: "\(name).json")
    }

    /// - Parameter file: for messages.
    init(bytes: [UInt8], name: String, file: String) throws(Invalid) {
        self.name = name
        guard bytes.count <= Self.maximumBytes else {
            throw Invalid(description: "\(file) has more than \(Self.maximumBytes) bytes.")
        }
        do {
            let fields = try Fields(json: bytes)
            address = fields.address
        } catch let error as DecodingError {
            throw Invalid(description: "\(file) cannot be used: \(Self.fault(error)).")
        } catch {
            throw Invalid(description: "\(file) is not JSON: \(error).")
        }
        json = String(decoding: bytes, as: UTF8.self)
    }

    /// The address of a meeting's page.
    func address(of configuration: BotConfiguration, lab: String?) -> String {
        let id = configuration.nativeMeetingID ?? ""
        return address.replacing("{url}", with: Self.link(configuration)).replacing("{lab}", with: lab ?? "")
            .replacing("{id}", with: Self.encoded(id))
    }

    /// The meeting's link; MS Teams' with the passcode that it may lack.
    private static func link(_ configuration: BotConfiguration) -> String {
        let url = configuration.meetingURL
        guard configuration.platform == "teams", let passcode = configuration.passcode, url.contains("/meet/"),
            !url.contains("?p="), !url.contains("&p="), !url.contains("#")
        else { return url }
        return "\(url)\(url.contains("?") ? "&" : "?")p=\(encoded(passcode))"
    }

    /// A part of a path (RFC 3986, section 3.3).
    private static func encoded(_ text: String) -> String {
        text.utf8.map { byte in
            let character = Character(Unicode.Scalar(byte))
            let isPlain = character.isASCII && (character.isLetter || character.isNumber || "-_.~".contains(character))
            return isPlain ? String(character) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
    }

    private static func fault(_ error: DecodingError) -> String {
        let context: DecodingError.Context =
            switch error {
            case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context),
                .dataCorrupted(let context):
                context
            @unknown default: DecodingError.Context(codingPath: [], debugDescription: "is wrong")
            }
        var path = context.codingPath.map(\.stringValue)
        if case .keyNotFound(let key, _) = error { path.append(key.stringValue) }
        return "\(path.joined(separator: ".")) is missing or of the wrong type"
    }

    private static let builtIn: [String: [UInt8]] = [
        "google_meet": PackageResources.google_meet_json, "teams": PackageResources.teams_json,
        "page": PackageResources.page_json,
    ]

    /// The shape of the data. What the page alone uses is only checked here.
    private struct Fields: Decodable {
        /// How something is found in a page: by texts first, by structure last, each in order.
        struct Mark: Decodable {
            let labels, selectors, texts, addresses: [String]?
        }

        struct Steps: Decodable {
            let dismiss, mute, name, join, leave: Mark
        }

        struct People: Decodable {
            let tile, name: String
            /// Tells one's own tile from those of others.
            let `self`: String
            let speaking: String?
        }

        /// Where these facts are from.
        let source: String
        let address: String
        let steps: Steps
        let signs: Signs
        /// nil: the page tells of nobody. The bot is then in the room where it can leave it and is in no lobby, and
        /// does not know when it is alone.
        let people: People?

        struct Signs: Decodable {
            let denied, removed, lobby: Mark
            let unanswered, refused, signIn, help, ended, left, disconnected: Mark?

            enum CodingKeys: String, CodingKey {
                case denied, removed, lobby, unanswered, refused, help, ended, left, disconnected
                case signIn = "sign_in"
            }
        }
    }
}
