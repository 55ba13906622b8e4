import FoundationEssentials

/// What a bot reports about itself, as the body of a POST (docs/bot-wire.md, "Reports").
struct StatusReport: Encodable, Equatable {
    enum Status: String, Encodable {
        case joining, active, completed, failed
        case awaitingAdmission = "awaiting_admission"
        case needsHelp = "needs_help"
    }

    enum CompletionReason: String, Encodable {
        case stopped
        case leftAlone = "left_alone"
        case startupAlone = "startup_alone"
        case awaitingAdmissionTimeout = "awaiting_admission_timeout"
        case awaitingAdmissionRejected = "awaiting_admission_rejected"
        case joinFailure = "join_failure"
    }

    /// How far a bot that failed had come.
    enum FailureStage: String, Encodable {
        case requested, joining, active
        case awaitingAdmission = "awaiting_admission"
    }

    var connectionID: String
    var status: Status
    var containerID: String
    var reason: String?
    var exitCode: Int32?
    var completionReason: CompletionReason?
    var failureStage: FailureStage?
    var timestamp: String

    enum CodingKeys: String, CodingKey {
        case status, reason, timestamp
        case connectionID = "connection_id"
        case containerID = "container_id"
        case exitCode = "exit_code"
        case completionReason = "completion_reason"
        case failureStage = "failure_stage"
    }
}

/// JSON of the wire, members in alphabetical order.
enum WireJSON {
    static func text(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Texts, integers and finite numbers only: there is nothing that could not be encoded.
        return String(decoding: try! encoder.encode(value), as: UTF8.self)
    }

    /// A point in time in RFC 3339, UTC, with milliseconds.
    static func timestamp(_ date: Date = Date()) -> String {
        date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }
}
