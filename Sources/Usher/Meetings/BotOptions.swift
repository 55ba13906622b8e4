/// What a bot is told to do beside its language and task, as the request for it says. Nil is left to the runner.
public struct BotOptions: Equatable, Sendable {
    /// How long it waits before it leaves by itself, in milliseconds.
    public struct AutomaticLeave: Equatable, Sendable {
        public var waitingRoomTimeout: Int?
        public var noOneJoinedTimeout: Int?
        public var everyoneLeftTimeout: Int?

        /// What each may be: from a second to a day.
        public static let bounds = 1_000...86_400_000

        public init(waitingRoomTimeout: Int? = nil, noOneJoinedTimeout: Int? = nil, everyoneLeftTimeout: Int? = nil) {
            self.waitingRoomTimeout = waitingRoomTimeout
            self.noOneJoinedTimeout = noOneJoinedTimeout
            self.everyoneLeftTimeout = everyoneLeftTimeout
        }
    }

    public var transcribes: Bool?
    public var records: Bool?
    public var automaticLeave: AutomaticLeave

    public init(transcribes: Bool? = nil, records: Bool? = nil, automaticLeave: AutomaticLeave = AutomaticLeave()) {
        self.transcribes = transcribes
        self.records = records
        self.automaticLeave = automaticLeave
    }

    /// Those that a meeting's record has. What another hand wrote there, and is none, is passed over.
    init(_ fields: [String: String]) {
        func timeout(_ field: String) -> Int? {
            fields[field].flatMap { Int($0) }.flatMap { AutomaticLeave.bounds.contains($0) ? $0 : nil }
        }
        transcribes = fields["transcribe_enabled"].flatMap { Bool($0) }
        records = fields["recording_enabled"].flatMap { Bool($0) }
        automaticLeave = AutomaticLeave(
            waitingRoomTimeout: timeout("waiting_room_timeout_ms"),
            noOneJoinedTimeout: timeout("no_one_joined_timeout_ms"),
            everyoneLeftTimeout: timeout("everyone_left_timeout_ms"))
    }

    /// As a record has them.
    var fields: [String: String] {
        var fields: [String: String] = [:]
        fields["transcribe_enabled"] = transcribes.map { String($0) }
        fields["recording_enabled"] = records.map { String($0) }
        fields["waiting_room_timeout_ms"] = automaticLeave.waitingRoomTimeout.map { String($0) }
        fields["no_one_joined_timeout_ms"] = automaticLeave.noOneJoinedTimeout.map { String($0) }
        fields["everyone_left_timeout_ms"] = automaticLeave.everyoneLeftTimeout.map { String($0) }
        return fields
    }
}
