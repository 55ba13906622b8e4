import BotWire
import FoundationEssentials
import JSON

/// What `capture.js` tells of a track. It comes from a page, so each part has its bound. Tracks are told apart by their
/// document and their number in it.
enum HeardSound: Equatable {
    /// Samples of 16 kHz from `begin` on, in samples since the track's first frame, which was heard at `start`, in seconds
    /// since 1970.
    case sound(track: Int, begin: Int, start: Double, samples: [Int16])
    /// Nothing but silence until `begin`.
    case silence(track: Int, begin: Int, start: Double)
    /// Who may be speaking, and how much that counts.
    case name(track: Int, name: String, weight: Int)
    case end(track: Int)

    var track: Int {
        switch self {
        case .sound(let track, _, _, _), .silence(let track, _, _), .name(let track, _, _), .end(let track): track
        }
    }

    private static let maximumBytes = 32_768
    private static let tracks = 1...999_999
    /// When a document was loaded, in ms since 1970.
    private static let loads = 0...4_000_000_000_000
    /// What a page's clock may say, in seconds since 1970.
    static let times = 1e9...1e11
    /// A week of samples.
    private static let positions = 0...(604_800 * WAV.samplesPerSecond)
    /// What a segment may have of a speaker's name, in bytes.
    private static let maximumNameBytes = 200

    /// nil if the page tells something else.
    init?(_ payload: String) {
        guard payload.utf8.count <= Self.maximumBytes, let told = try? Told(json: Array(payload.utf8)),
            Self.tracks.contains(told.track), Self.loads.contains(told.load ?? 0)
        else { return nil }
        let track = (told.load ?? 0) * (Self.tracks.upperBound + 1) + told.track
        switch told.kind {
        case "name":
            let scalars = told.name?.unicodeScalars.filter {
                ![.control, .lineSeparator, .paragraphSeparator].contains($0.properties.generalCategory)
            }
            guard let scalars, !scalars.isEmpty, let weight = told.weight else { return nil }
            let name = String(String.UnicodeScalarView(scalars)).shortened(toBytes: Self.maximumNameBytes)
            self = .name(track: track, name: name, weight: max(1, min(weight, 10)))
        case "end": self = .end(track: track)
        case "sound", "silence":
            guard let begin = told.begin, Self.positions.contains(begin), let start = told.start,
                Self.times.contains(start)
            else { return nil }
            guard told.kind == "sound" else {
                self = .silence(track: track, begin: begin, start: start)
                return
            }
            guard let text = told.samples, let data = Data(base64Encoded: text), data.count % 2 == 0 else { return nil }
            let samples = stride(from: 0, to: data.count, by: 2).map {
                Int16(truncatingIfNeeded: Int(data[$0]) | Int(data[$0 + 1]) << 8)
            }
            self = .sound(track: track, begin: begin, start: start, samples: samples)
        default: return nil
        }
    }

    private struct Told: Decodable {
        let kind: String
        let load: Int?
        let track: Int
        let begin: Int?
        let start: Double?
        let samples: String?
        let name: String?
        let weight: Int?
    }
}
