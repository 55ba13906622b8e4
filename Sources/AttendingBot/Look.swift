/// What a page is at, as `observe.js` tells.
struct Look: Decodable, Equatable {
    /// Where the bot stands: before the door, in the lobby, in the room, or out of it for a reason.
    enum Sign: String {
        case unknown, door, lobby, room
        case denied, unanswered, refused
        case signIn = "sign_in"
        case removed, ended, left, disconnected
    }

    var sign: Sign
    /// The text or mark of the page that says so; empty if the page as a whole does.
    var why: String
    /// How many others are in the room; nil where the page does not tell.
    var others: Int?

    init(_ sign: Sign, why: String = "", others: Int? = nil) {
        (self.sign, self.why, self.others) = (sign, why, others)
    }

    private enum Field: String, CodingKey {
        case sign, why, others
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Field.self)
        // A page that tells nonsense is one that is not known.
        sign = Sign(rawValue: try fields.decode(String.self, forKey: .sign)) ?? .unknown
        why = String(try fields.decode(String.self, forKey: .why).prefix(200))
        others = try fields.decodeIfPresent(Int.self, forKey: .others)
    }
}
