import BotWire

/// What a page is at, as `observe.js` tells.
struct Look: Decodable, Equatable {
    /// Where the bot stands: before the door, in the lobby, in the room, or out of it for a reason.
    enum Sign: String {
        case unknown, door, lobby, room
        case denied, unanswered, refused
        /// A person has to do something, such as to tell that there is one.
        case help
        case signIn = "sign_in"
        case removed, ended, left, disconnected
    }

    var sign: Sign
    /// The text or mark of the page that says so; empty if the page as a whole does.
    var why: String
    /// How many others are in the room; nil where the page does not tell.
    var others: Int?

    /// Whether the page offers to leave, as it does in the room and in some lobbies.
    var mayLeave: Bool

    init(_ sign: Sign, why: String = "", others: Int? = nil, mayLeave: Bool = false) {
        (self.sign, self.why, self.others, self.mayLeave) = (sign, why, others, mayLeave)
    }

    private enum Field: String, CodingKey {
        case sign, why, others, mayLeave
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Field.self)
        // A page that tells nonsense is one that is not known.
        sign = Sign(rawValue: try fields.decode(String.self, forKey: .sign)) ?? .unknown
        why = try fields.decode(String.self, forKey: .why).shortened(toBytes: 200)
        others = try fields.decodeIfPresent(Int.self, forKey: .others)
        mayLeave = try fields.decodeIfPresent(Bool.self, forKey: .mayLeave) ?? false
    }
}
