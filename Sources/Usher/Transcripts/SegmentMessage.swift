import JSON

/// What a bot says of its transcript: a message on the segment stream, or a body sent by HTTP (docs/bot-wire.md,
/// "Transcript segments").
///
/// The wire's transcription messages name no session. `session_start` does, and so tells which session of a meeting the
/// later messages of the stream belong to; a `session_uid` in a message of another type is taken too.
public struct SegmentMessage: Equatable, Sendable {
    public enum Content: Equatable, Sendable {
        case segments([Segment])
        case retraction(segmentIDs: [String])
        case sessionStart
        /// The bot's reports say the same.
        case sessionEnd
    }

    /// Most segments that one message may have.
    public static let maximumSegments = 1_000
    /// Most bytes that one message may have. A longer one is not looked at.
    public static let maximumBytes = 1 << 20

    /// Why a message, or one of its segments, cannot be used.
    public struct Invalid: Error, Equatable, Sendable {
        /// The member that is wrong, such as `segments[3].start`; nil if it is the message as a whole.
        public let field: String?
        /// Completes "<field> ..."
        public let problem: String

        public var reason: String { field.map { "\($0) \(problem)" } ?? problem }
    }

    public let content: Content
    /// The number of the meeting; nil if the message names none.
    public let meetingNumber: Int?
    /// The session that the message names: the bot_id of its bot.
    public let session: String?
    /// Segments that cannot be used; the others can.
    public let faults: [Invalid]

    /// - Parameter assumedType: of a message that names no type, as in a body that has nothing but segments.
    public init(json: some Collection<UInt8>, assumedType: String? = nil) throws(Invalid) {
        guard json.count <= Self.maximumBytes else {
            throw Invalid(field: nil, problem: "must have at most \(Self.maximumBytes) bytes")
        }
        do {
            self = try JSONDocument(Array(json), limits: .ofMessages)
                .decode(Body.self, userInfo: [Self.assumedTypeKey: assumedType as Any]).message
        } catch {
            throw Self.explain(error)
        }
    }

    init(_ content: Content, meetingNumber: Int?, session: String?, faults: [Invalid] = []) {
        self.content = content
        self.meetingNumber = meetingNumber
        self.session = session
        self.faults = faults
    }

    private static let assumedTypeKey = CodingUserInfoKey(rawValue: "assumedType")!

    private enum CodingKeys: String, CodingKey {
        case type, segments
        case meetingID = "meeting_id"
        case segmentIDs = "segment_ids"
        case session = "session_uid"
    }

    private struct Body: Decodable {
        let message: SegmentMessage

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            let assumed = decoder.userInfo[SegmentMessage.assumedTypeKey] as? String
            let type = try container.decodeIfPresent(String.self, forKey: .type) ?? assumed
            guard let type else { throw Invalid(field: "type", problem: "is missing") }
            var faults: [Invalid] = []
            let content: Content
            switch type {
            case "transcription":
                try Self.check(container, .segments)
                let elements = try container.decode([Element].self, forKey: .segments)
                faults = elements.enumerated().compactMap { $1.fault?.under("segments[\($0)]") }
                content = .segments(elements.compactMap(\.segment))
            case "transcript_retract":
                try Self.check(container, .segmentIDs)
                let ids = try container.decode([String].self, forKey: .segmentIDs)
                guard ids.allSatisfy({ Segment.isID($0) }) else {
                    throw Invalid(field: "segment_ids", problem: "must be ids of 1 to 200 bytes, without spaces")
                }
                content = .retraction(segmentIDs: ids)
            case "session_start": content = .sessionStart
            case "session_end": content = .sessionEnd
            default: throw Invalid(field: "type", problem: "is not one that is known")
            }
            message = SegmentMessage(
                content, meetingNumber: try Self.meetingNumber(container),
                session: try? container.decodeIfPresent(String.self, forKey: .session), faults: faults)
        }

        /// Before anything is made of what may be too much.
        private static func check(_ container: KeyedDecodingContainer<CodingKeys>, _ key: CodingKeys) throws {
            guard let count = try container.nestedUnkeyedContainer(forKey: key).count, count <= maximumSegments else {
                throw Invalid(field: key.rawValue, problem: "must be at most \(maximumSegments)")
            }
        }

        /// As a number, or as its digits in a string.
        private static func meetingNumber(_ container: KeyedDecodingContainer<CodingKeys>) throws -> Int? {
            let invalid = Invalid(field: "meeting_id", problem: "must be an integer")
            if let digits = try? container.decodeIfPresent(String.self, forKey: .meetingID) {
                guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(digits) else {
                    throw invalid
                }
                return number
            }
            do {
                return try container.decodeIfPresent(Int.self, forKey: .meetingID)
            } catch {
                throw invalid
            }
        }
    }

    /// One of several segments: a wrong one does not spoil the others.
    private struct Element: Decodable {
        let segment: Segment?
        let fault: Invalid?

        init(from decoder: any Decoder) throws {
            do {
                segment = try Segment(from: decoder)
                fault = nil
            } catch {
                segment = nil
                fault = SegmentMessage.explain(error, below: decoder.codingPath.count)
            }
        }
    }

    /// - Parameter depth: how much of the path to what is wrong leads to where `error` is told.
    private static func explain(_ error: any Error, below depth: Int = 0) -> Invalid {
        func name(_ path: [any CodingKey]) -> String? {
            let text = path.dropFirst(depth).reduce(into: "") { name, key in
                name += key.intValue.map { "[\($0)]" } ?? (name.isEmpty ? key.stringValue : ".\(key.stringValue)")
            }
            return text.isEmpty ? nil : text
        }
        switch error {
        case let invalid as Invalid: return invalid
        case let error as JSONError: return Invalid(field: error.member, problem: error.problem)
        case DecodingError.keyNotFound(let key, let context):
            return Invalid(field: name(context.codingPath + [key]), problem: "is missing")
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            let field = name(context.codingPath)
            return Invalid(field: field, problem: field == nil ? "must be a JSON object" : "has the wrong type")
        case DecodingError.dataCorrupted(let context):
            let field = name(context.codingPath)
            return Invalid(field: field, problem: field == nil ? "must be valid JSON" : context.debugDescription)
        default: return Invalid(field: nil, problem: "must be valid JSON")
        }
    }
}

extension JSONLimits {
    /// A thousand segments with all their words, or a report with tens of thousands of lines and events.
    public static let ofMessages = JSONLimits(values: 50_000)
}

extension SegmentMessage.Invalid {
    /// The same, told of what has the field.
    fileprivate func under(_ parent: String) -> Self {
        Self(field: field.map { "\(parent).\($0)" } ?? parent, problem: problem)
    }
}
