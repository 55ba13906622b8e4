import Redis

/// A calendar of a user, of whose meetings bots are planned: the hash `usher:{pX}:ws:<workspace>:calendar:<id>`. Times in
/// milliseconds since 1970.
public struct FeedCalendar: Sendable {
    /// How many a user may have in a workspace.
    public static let maximum = 10

    public let id: String
    public let workspaceID: String
    public let userID: String
    public let name: String
    /// The address of its feed. Who has it reads the calendar: it is never shown whole, and never logged.
    public let url: String
    /// Whether bots are sent by themselves.
    public let autoJoin: Bool
    public let botName: String?
    public let isEnabled: Bool
    /// Whether it is to end, once what was planned of it is gone.
    public let isRemoved: Bool
    /// When its feed was last read, or could not be.
    public let syncedAt: Int?
    /// Why it could not, or not all of it.
    public let problem: String?
    /// What the last reading changed.
    public let counts: Counts
    /// How many events were left out, by reason: `<reason>=<count>`, with spaces between.
    public let skipped: String
    /// Whether it is being read, or is to be at once.
    public let isSyncing: Bool
    /// How often in a row its feed could not be read.
    public let failures: Int
    /// By which its server knows what was read last, and when all of it was.
    public let etag: String?
    public let readAt: Int?
    let leaseEnd: String

    public struct Counts: Equatable, Sendable {
        public var created = 0
        public var updated = 0
        public var cancelled = 0

        public init() {}
    }

    /// - Returns: nil for what is no calendar's hash.
    init?(_ fields: [String: String], workspace: String) {
        guard let id = fields["id"], Self.isID(id), let url = fields["ics_url"], let user = fields["user_id"] else {
            return nil
        }
        func number(_ name: String) -> Int? { fields[name].flatMap { Int($0) } }
        self.id = id
        workspaceID = workspace
        userID = user
        name = fields["name"] ?? ""
        self.url = url
        autoJoin = fields["auto_join"] != "false"
        botName = fields["bot_name"]
        isEnabled = fields["enabled"] == "1"
        isRemoved = fields["removed"] != nil
        syncedAt = number("synced_at")
        problem = fields["problem"]
        counts = {
            var counts = Counts()
            counts.created = number("created") ?? 0
            counts.updated = number("updated") ?? 0
            counts.cancelled = number("cancelled") ?? 0
            return counts
        }()
        skipped = fields["skipped"] ?? ""
        isSyncing = fields["lease_end"] != nil || (number("asked_at") ?? 0) > (syncedAt ?? 0)
        failures = number("failures") ?? 0
        etag = fields["etag"]
        readAt = number("read_at")
        leaseEnd = fields["lease_end"] ?? ""
    }

    /// The host of the address, and nothing of what makes it a secret.
    public var maskedURL: String {
        let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        return parts.count < 3 ? "********" : "\(parts[0])//\(parts[2].prefix { $0 != "?" })/********"
    }

    private static let idPrefix = "cal_"

    static func newID() -> String { idPrefix + Identifier.hex() }

    /// An id from outside becomes part of a key.
    static func isID(_ text: String) -> Bool {
        text.utf8.count == idPrefix.utf8.count + 32 && text.hasPrefix(idPrefix)
            && text.utf8.dropFirst(idPrefix.utf8.count).allSatisfy { byte in
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
            }
    }
}

/// What is to change of a calendar, or what a new one is made from; nil leaves it as it is.
public struct CalendarChange: Sendable {
    public var name: String?
    public var url: String?
    public var autoJoin: Bool?
    /// `.some(nil)`: bots have the name that they have elsewhere.
    public var botName: String??
    public var isEnabled: Bool?

    public init(
        name: String? = nil, url: String? = nil, autoJoin: Bool? = nil, botName: String?? = .none,
        isEnabled: Bool? = nil
    ) {
        self.name = name
        self.url = url
        self.autoJoin = autoJoin
        self.botName = botName
        self.isEnabled = isEnabled
    }

    /// Of the hash, each followed by its value; `enabled` apart.
    var fields: [String] {
        var fields: [String] = []
        if let name { fields += ["name", name] }
        if let url { fields += ["ics_url", url] }
        if let autoJoin { fields += ["auto_join", String(autoJoin)] }
        if case .some(.some(let botName)) = botName { fields += ["bot_name", botName] }
        return fields
    }

    /// With any change all of the feed is read anew.
    var cleared: [String] {
        ["etag", "read_at", "failures"] + (botName == .some(nil) ? ["bot_name"] : [])
    }
}

/// What came of the reading of a feed.
public struct CalendarOutcome: Sendable {
    /// Nil: all went well.
    public var problem: String?
    public var counts = FeedCalendar.Counts()
    /// Nil: as it was, since the feed was.
    public var skipped: String?
    public var etag: String?
    /// Whether all of the feed was read.
    public var isRead = false
    public var failures = 0
    /// After how long it is read again, in ms; nil: not by itself.
    public var pause: Int?
    /// Whether the calendar ends with it.
    public var isGone = false

    public init() {}
}
