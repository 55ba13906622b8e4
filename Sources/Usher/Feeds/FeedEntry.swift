import Redis

/// Where a feed was: the id of an entry of its stream, or before the first one `0-0`, or `0-<ms>` with the time at which
/// there was none.
public struct FeedCursor: Equatable, Comparable, Sendable, CustomStringConvertible {
    public static let beginning = FeedCursor("0-0")!

    private let milliseconds: UInt64
    private let count: UInt64

    private init(milliseconds: UInt64, count: UInt64) {
        self.milliseconds = milliseconds
        self.count = count
    }

    /// - Parameter text: as `description` has it; nil if it is not.
    public init?(_ text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard parts.count == 2, let milliseconds = Self.number(parts[0]), let count = Self.number(parts[1]) else {
            return nil
        }
        self.milliseconds = milliseconds
        self.count = count
    }

    /// Plain digits alone: numbers with a sign would be another text for the same.
    private static func number(_ digits: Substring.UTF8View) -> UInt64? {
        guard digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return UInt64(Substring(digits))
    }

    /// For how long a feed is kept after its last entry (see `lua/includes/feed.lua`).
    static let lifeMilliseconds = 3_600_000
    /// By how much clocks of nodes may differ from Redis'.
    private static let clockMilliseconds = 60_000

    /// Whether the feed is gone whose last entry this is.
    /// - Parameter now: in milliseconds since 1970. A clock that is wrong has viewers fetch anew at worst.
    func isExpired(at now: Int) -> Bool { Int(clamping: milliseconds) <= now - Self.lifeMilliseconds }

    /// The same; of a feed without an entry with the time, as there may have been entries that are gone when it is asked for
    /// what followed.
    /// - Parameter now: in milliseconds since 1970.
    func seen(at now: Int) -> FeedCursor {
        self == .beginning ? FeedCursor(milliseconds: 0, count: UInt64(clamping: now)) : self
    }

    /// Whether all that followed the beginning followed this cursor too. A clock that is wrong has viewers fetch anew.
    func isBeginning(at now: Int) -> Bool {
        guard milliseconds == 0, count > 0 else { return self == .beginning }
        let age = now.subtractingClamped(Int(clamping: count))
        return (-Self.clockMilliseconds...Self.lifeMilliseconds - Self.clockMilliseconds).contains(age)
    }

    public var description: String { "\(milliseconds)-\(count)" }

    public static func < (left: FeedCursor, right: FeedCursor) -> Bool {
        (left.milliseconds, left.count) < (right.milliseconds, right.count)
    }
}

/// An entry of a feed (docs/architecture.md, "Live feeds"): of a meeting's, or of its workspace's.
struct FeedEntry: Equatable, Sendable {
    enum Content: Equatable, Sendable {
        /// Segments of a session that were changed, by their ids, and the version that they have since.
        case segments(session: String, version: String, ids: [String])
        /// Status and bot_status, and when, in milliseconds since 1970.
        case status(String, bot: String, at: Int)
        /// The transcript was deleted.
        case deleted
    }

    /// Its place in the meeting's feed.
    let cursor: FeedCursor
    /// Its place in the workspace's feed, if it was read there.
    let workspaceCursor: FeedCursor?
    /// Empty if it was read in the meeting's own.
    let meetingID: String
    let content: Content

    /// - Parameter reply: an entry as XREAD and XRANGE return it. Nil if it is not one of ours.
    init?(_ reply: Value) {
        guard let parts = reply.array, parts.count == 2, let id = parts[0].string.flatMap({ FeedCursor($0) }),
            let fields = try? parts[1].hash()
        else { return nil }
        meetingID = fields["meeting_id"] ?? ""
        if let entry = fields["entry"] {
            guard let cursor = FeedCursor(entry) else { return nil }
            self.cursor = cursor
            workspaceCursor = id
        } else {
            cursor = id
            workspaceCursor = nil
        }
        switch fields["what"] {
        case "segments":
            guard let session = fields["bot_id"], let version = fields["version"], let ids = fields["ids"] else {
                return nil
            }
            content = .segments(session: session, version: version, ids: Self.parts(of: ids, at: " "))
        case "status":
            let to = Self.parts(of: fields["to"] ?? "", at: "/")
            guard to.count == 2, let at = fields["at"].flatMap({ Int($0) }) else { return nil }
            content = .status(to[0], bot: to[1], at: at)
        case "deleted": content = .deleted
        default: return nil
        }
    }

    /// By bytes: a blank with a mark on it would be another character.
    private static func parts(of text: String, at separator: Unicode.Scalar) -> [String] {
        text.utf8.split(separator: UInt8(ascii: separator)).map { String(Substring($0)) }
    }
}
