import Redis

/// What a room is called besides. One MS Teams meeting has a thread and a number: where a request says both, the thread
/// is the room and the number leads to it, so that either finds the meeting, and keeps a second bot out.
struct RoomNames {
    /// How many names of one room are kept; the oldest are forgotten. A meeting has one number, but clients make a name
    /// of every spelling of its link.
    static let maximum = 8
    /// Rooms that `request_bot` looks at besides its own, since a bot may be there by another name.
    static let maximumOthers = 2

    /// What the names lead to.
    var room: Room
    /// Names that lead to the room, or are to: the newest first.
    var names: [Room]
    /// Where a name led to before that is now another room's.
    var rivals: [Room] = []

    /// With the names that the room's newest meeting has: they are the next one's too.
    /// - Parameter inherited: as its record has them.
    func inheriting(_ inherited: String?) -> (names: RoomNames, forgotten: [Room]) {
        let known = (inherited ?? "").split(separator: " ").compactMap { Room(String($0)) }
        var result = self
        result.names += known.filter { $0 != room && !names.contains($0) }
        let forgotten = result.names.dropFirst(Self.maximum)
        result.names = Array(result.names.prefix(Self.maximum))
        return (result, Array(forgotten))
    }

    /// Where a bot may be that is in the same meeting. A digest of a link is never a room by itself.
    var others: [Room] {
        let rooms = names.filter { room in
            if case .digest? = TeamsID(room.nativeID) { false } else { true }
        }
        return Array((rooms + rivals).prefix(Self.maximumOthers))
    }

    /// The keys of the bots that may be there by another name, as `request_bot` takes them: that of the room in place of
    /// those that are not there.
    func otherHolders(in keys: WorkspaceKeys) -> (String, String) {
        let holders = others.map(keys.holder)
        return (holders.first ?? keys.holder(room), holders.dropFirst().first ?? keys.holder(room))
    }

    /// As records and scripts have them.
    static func text(_ names: [Room]) -> String { names.map { " \($0.description)" }.joined() }
}

extension Meetings {
    /// A name leads to a room, which may itself have become a name of another one.
    private static let maximumSteps = 3

    /// The room that a link means, by the names that are known of it.
    func names(of link: MeetingLink, in keys: WorkspaceKeys) async throws(RedisError) -> RoomNames {
        var found = RoomNames(room: link.room, names: link.otherNames)
        guard link.room.platform == .teams else { return found }
        found.room = try await room(of: link.room, in: keys)
        found.names.removeAll { $0 == found.room }
        if found.room != link.room { found.names.insert(link.room, at: 0) }
        guard !link.otherNames.isEmpty else { return found }
        let known = try await session.send(Command(words: ["HMGET", keys.names] + link.otherNames.map(\.description)))
            .arrayOrThrow()
        for case .string(let text) in known {
            if let other = Room(text), other != found.room, !found.names.contains(other) { found.rivals.append(other) }
        }
        return found
    }

    /// The room that a name leads to: itself, if it is none.
    private func room(of name: Room, in keys: WorkspaceKeys) async throws(RedisError) -> Room {
        var room = name
        for _ in 0..<Self.maximumSteps {
            let next = try await session.send(Command("HGET", keys.names, room.description)).optionalString()
            guard let next = next.flatMap({ Room($0) }), next != name else { break }
            room = next
        }
        return room
    }

    /// Where a meeting may be that is asked for by a room: in the room that the name leads to; and in the very one, if
    /// it was there before it became a name.
    func rooms(meantBy room: Room, in keys: WorkspaceKeys) async throws(RedisError) -> [Room] {
        guard room.platform == .teams else { return [room] }
        let meant = try await self.room(of: room, in: keys)
        return meant == room ? [room] : [meant, room]
    }
}
