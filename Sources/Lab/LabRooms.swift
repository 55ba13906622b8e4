import FoundationEssentials

/// Who is where in the lab, and what they are told. Belongs to its loop.
final class LabRooms {
    /// How a room receives those who come.
    enum Mode: String, Codable {
        /// A host lets people in.
        case lobby
        /// Everybody is in at once.
        case open
        /// What a page may show instead.
        case signIn = "sign_in"
        case refused, unanswered, unknown
    }

    /// What a host does to somebody, or a test.
    enum Control: String {
        case admit, deny, remove, say, hang, leave
    }

    /// Those who are gone are forgotten once there are so many.
    private static let maximumPeople = 2_000

    private var people: [String: LabPerson] = [:]
    private var modes: [String: Mode] = [:]
    private var lastNumber = 0

    func person(_ id: String) -> LabPerson? { people[id] }

    func mode(of room: String) -> Mode { modes[room] ?? .lobby }

    func set(_ room: String, _ mode: Mode) {
        if modes.count < Self.maximumPeople { modes[room] = mode }
    }

    /// Somebody at the door.
    /// - Returns: nil if there are too many people already.
    func ask(_ room: String, name: String, isHost: Bool, isGhost: Bool) -> LabPerson? {
        if people.count >= Self.maximumPeople { people = people.filter { !$0.value.isGone } }
        guard people.count < Self.maximumPeople else { return nil }
        lastNumber += 1
        let person = LabPerson(id: "p\(lastNumber)", room: room, name: name, isGhost: isGhost)
        people[person.id] = person
        for host in inside(room) { host.tell(Message(type: "asking", id: person.id, name: person.name).json) }
        if isHost || isGhost || mode(of: room) == .open { admit(person) }
        return person
    }

    func control(_ person: LabPerson, _ what: Control) {
        switch what {
        case .admit: admit(person)
        case .deny, .remove:
            let end: LabPerson.State = what == .deny ? .denied : .removed
            leave(person, as: end)
            person.tell(Message(type: end.rawValue).json)
        case .say, .hang: person.tell(Message(type: what.rawValue).json)
        case .leave: leave(person)
        }
    }

    func leave(_ person: LabPerson, as end: LabPerson.State = .left) {
        guard !person.isGone else { return }
        let wasInside = person.isInside
        person.leave(as: end)
        guard wasInside else { return }
        for other in inside(person.room) { other.tell(Message(type: "left", id: person.id).json) }
    }

    /// The host ends the meeting for everybody.
    func end(_ room: String) {
        for person in inside(room) {
            leave(person, as: .ended)
            person.tell(Message(type: "ended").json)
        }
    }

    func chat(_ room: String, _ line: String) {
        for person in inside(room) { person.tell(Message(type: "chat", line: String(line.prefix(200))).json) }
    }

    /// All that have come, in order.
    func records(of room: String) -> [LabPerson.Record] {
        for person in all(room) where person.isLost { leave(person) }
        return all(room).map(\.record)
    }

    private func admit(_ person: LabPerson) {
        guard person.state == .asking else { return }
        let others = inside(person.room)
        person.enter()
        person.tell(Message(type: "admitted", others: others.map(\.short)).json)
        for other in others {
            other.tell(Message(type: "joined", id: person.id, name: person.name, isGhost: person.isGhost).json)
        }
    }

    private func inside(_ room: String) -> [LabPerson] { all(room).filter(\.isInside) }

    private func all(_ room: String) -> [LabPerson] {
        people.values.filter { $0.room == room }.sorted { Int($0.id.dropFirst())! < Int($1.id.dropFirst())! }
    }

    /// What a page is told.
    private struct Message: Encodable {
        let type: String
        var id: String?
        var name: String?
        var isGhost: Bool?
        var line: String?
        var others: [LabPerson.Short]?

        var json: String { LabJSON.text(self) }
    }
}

enum LabJSON {
    /// A value as JSON, with the names of its members in lower case: `isGhost` is `is_ghost`.
    static func text(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        // Texts, flags and finite numbers only: there is nothing that could not be encoded.
        return String(decoding: try! encoder.encode(value), as: UTF8.self)
    }
}
