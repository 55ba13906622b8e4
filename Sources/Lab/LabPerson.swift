import FoundationEssentials
import JSON

/// Somebody at the door of a room, in it, or gone from it. Belongs to the lab's loop.
final class LabPerson {
    enum State: String, Encodable {
        case asking
        case inside = "in"
        case left, denied, removed, ended
    }

    private static let maximumName = 100
    private static let maximumSaid = 1_000
    /// The most that waits for a page that does not listen.
    private static let maximumMail = 1_000
    /// How long a page may take until it listens, in seconds: a browser that was killed before never does.
    private static let silentSeconds = 30.0

    let id: String
    let room: String
    let name: String
    /// A name in the room without a page.
    let isGhost: Bool
    private(set) var state = State.asking
    private let askedAt = Date().timeIntervalSince1970
    private var inAt: Double?
    private var outAt: Double?
    private var said: [Said] = []
    /// Seconds of sound that its page did not get.
    var lostSeconds = 0.0
    private(set) var mail: [String] = []

    struct Said: Codable {
        let at: Double
        let seconds: Double
    }

    init(id: String, room: String, name: String, isGhost: Bool) {
        (self.id, self.room, self.isGhost) = (id, room, isGhost)
        self.name = String(name.prefix(Self.maximumName))
    }

    var isInside: Bool { state == .inside }
    /// Whether its page has begun to listen.
    var hasListened = false
    var isLost: Bool {
        !isGone && !isGhost && !hasListened && Date().timeIntervalSince1970 - askedAt > Self.silentSeconds
    }
    /// Whether nobody waits for it any more.
    var isGone: Bool { ![.asking, .inside].contains(state) }

    func enter() {
        (state, inAt) = (.inside, Date().timeIntervalSince1970)
    }

    func leave(as end: State) {
        (state, outAt) = (end, Date().timeIntervalSince1970)
    }

    func say(_ new: Said) {
        if said.count < Self.maximumSaid { said.append(new) }
    }

    /// - Parameter message: a JSON object.
    func tell(_ message: String) {
        if !isGhost, mail.count < Self.maximumMail { mail.append(message) }
    }

    /// What waits for its page, which has it from now on.
    func takeMail() -> [String] {
        defer { mail = [] }
        return mail
    }

    /// As others in the room know it.
    var short: Short { Short(id: id, name: name, isGhost: isGhost) }
    /// As `GET /rooms/...` tells of it.
    var record: Record {
        Record(
            id: id, room: room, name: name, state: state, isGhost: isGhost, askedAt: askedAt, inAt: inAt,
            outAt: outAt, hasListened: hasListened, said: said, lostS: lostSeconds)
    }

    struct Short: Encodable {
        let id: String
        let name: String
        let isGhost: Bool
    }

    struct Record: Encodable {
        let id: String
        let room: String
        let name: String
        let state: State
        let isGhost: Bool
        let askedAt: Double
        let inAt: Double?
        let outAt: Double?
        let hasListened: Bool
        let said: [Said]
        let lostS: Double
    }
}
