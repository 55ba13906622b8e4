import FoundationEssentials

/// What a bot reports about itself, as the body of a POST (docs/bot-wire.md, "Reports").
public struct StatusReport: Encodable, Equatable {
    /// What a bot is at.
    public enum Status: String, Encodable, Sendable {
        case joining, active, completed, failed
        case awaitingAdmission = "awaiting_admission"
        case needsHelp = "needs_help"
    }

    /// Why it ended.
    public enum CompletionReason: String, Encodable, Sendable {
        case stopped, evicted
        case leftAlone = "left_alone"
        case startupAlone = "startup_alone"
        case awaitingAdmissionTimeout = "awaiting_admission_timeout"
        case awaitingAdmissionRejected = "awaiting_admission_rejected"
        case joinFailure = "join_failure"
        case authSessionMissing = "auth_session_missing"
        case maxBotTimeExceeded = "max_bot_time_exceeded"
    }

    /// How far a bot that failed had come.
    public enum FailureStage: String, Encodable {
        case requested, joining, active
        case awaitingAdmission = "awaiting_admission"
    }

    public var connectionID: String
    public var status: Status
    public var containerID: String
    public var reason: String?
    /// What else is to be told of its end.
    public var errorDetails: String?
    public var exitCode: Int32?
    public var completionReason: CompletionReason?
    public var failureStage: FailureStage?
    public var timestamp: String
    /// Of the page, where a person should see it.
    public var screenshot: Screenshot?

    /// - Parameter timestamp: RFC 3339.
    public init(connectionID: String, status: Status, containerID: String, timestamp: String = WireJSON.timestamp()) {
        (self.connectionID, self.status) = (connectionID, status)
        (self.containerID, self.timestamp) = (containerID, timestamp)
    }

    public struct Screenshot: Encodable, Equatable {
        /// A JPEG in Base64.
        public let image: String
        /// What is on the page, in words.
        public let outline: String

        public init(image: String, outline: String) {
            (self.image, self.outline) = (image, outline)
        }
    }

    enum CodingKeys: String, CodingKey {
        case status, reason, timestamp, screenshot
        case connectionID = "connection_id"
        case containerID = "container_id"
        case exitCode = "exit_code"
        case errorDetails = "error_details"
        case completionReason = "completion_reason"
        case failureStage = "failure_stage"
    }
}

/// JSON of the wire, members in alphabetical order.
public enum WireJSON {
    /// A value as JSON text.
    public static func text(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Texts, integers and finite numbers only: there is nothing that could not be encoded.
        return String(decoding: try! encoder.encode(value), as: UTF8.self)
    }

    /// A point in time in RFC 3339, UTC, with milliseconds.
    public static func timestamp(_ date: Date = Date()) -> String {
        date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }
}
