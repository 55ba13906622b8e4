/// Which entry of the segment stream was the last when a runner claimed the bot, for the last bots of a meeting: what came
/// before is no later bot's. Entries are told apart by their ids, whatever clock was set back meanwhile; the times
/// of `Sessions` are not.
struct StreamPositions {
    private let claims: [(bot: String, after: Entry)]

    /// - Parameter text: the field `positions` of a meeting, `<bot_id>=<id of an entry>` for each, in the order of their
    ///   claims. What is not of the form is passed over.
    init(_ text: String?) {
        claims = (text ?? "").split(separator: " ").compactMap { part in
            let parts = part.split(separator: "=")
            guard parts.count == 2, let after = Entry(parts[1]) else { return nil }
            return (String(parts[0]), after)
        }
    }

    /// The bot that wrote an entry. Nil if that is not known: nothing was noted of the meeting's current bot, since a
    /// runner of the version before claimed it or Redis did not let its runner ask, or the entry is older than all notes.
    func writer(of id: String, current: String) -> String? {
        guard claims.last?.bot == current, let entry = Entry(id[...]) else { return nil }
        return claims.last { $0.after < entry }?.bot
    }

    /// The id of an entry of a stream.
    private struct Entry: Comparable {
        let milliseconds: UInt64
        let count: UInt64

        init?(_ text: Substring) {
            let parts = text.split(separator: "-")
            guard parts.count == 2, let milliseconds = UInt64(parts[0]), let count = UInt64(parts[1]) else {
                return nil
            }
            (self.milliseconds, self.count) = (milliseconds, count)
        }

        static func < (left: Entry, right: Entry) -> Bool {
            (left.milliseconds, left.count) < (right.milliseconds, right.count)
        }
    }
}
