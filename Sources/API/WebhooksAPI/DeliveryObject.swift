import JSON
import Usher

/// An event of a webhook's history as it is shown, with its attempts.
struct DeliveryObject {
    /// What an event's body begins with.
    private struct Head: Decodable {
        struct Contents: Decodable {
            struct Meeting: Decodable { let id: Int }
            let meeting: Meeting?
        }

        let type: String
        let createdAt: String
        let sequence: Int?
        let data: Contents

        enum CodingKeys: String, CodingKey {
            case type = "event_type"
            case createdAt = "created_at"
            case sequence, data
        }
    }

    private struct Attempt: Decodable {
        let at: Int
        let outcome: String
        let duration: Int
        let status: Int?
        let problem: String?

        var json: JSONText {
            var object = JSONText()
            object.add("at", time: at)
            object.add("outcome", outcome)
            object.add("status_code", status)
            object.add("duration_ms", duration)
            object.add("problem", problem)
            return object
        }
    }

    private let delivery: StoredDelivery
    private let head: Head
    private let attempts: [Attempt]

    /// Nil for what another hand wrote.
    init?(_ delivery: StoredDelivery) {
        guard let head = try? Head(json: Array(delivery.body.utf8)) else { return nil }
        self.delivery = delivery
        self.head = head
        attempts = delivery.attempts.compactMap { try? Attempt(json: Array($0.utf8)) }
    }

    var createdAt: String { head.createdAt }

    /// What became of it: what waits is queued.
    private var outcome: String {
        guard let last = attempts.last else { return delivery.due != nil ? "queued" : "suppressed" }
        return delivery.isUntried ? "queued" : last.outcome
    }

    var json: JSONText {
        var object = JSONText(capacity: 1_024)
        object.add("event_id", delivery.eventID)
        object.add("event_type", head.type)
        object.add("created_at", head.createdAt)
        object.add("meeting_id", head.data.meeting?.id)
        object.add("sequence", head.sequence)
        object.add("outcome", outcome)
        object.add("next_attempt_at", time: outcome == "queued" ? delivery.due : nil)
        object.add("attempts", attempts.map(\.json))
        object.add("answer", delivery.answer)
        return object
    }

    /// The cells of `DeliveryText.header`.
    var row: [String] {
        let last = attempts.last
        return [
            head.createdAt, delivery.eventID, head.type, head.data.meeting.map { String($0.id) } ?? "", outcome,
            String(attempts.count), last?.status.map { String($0) } ?? last?.problem ?? "",
        ]
    }

    /// As clients of Vexa's know it.
    func vexaJSON(host: String) -> JSONText {
        var object = JSONText()
        object.add("event_type", head.type)
        object.add("event_id", delivery.eventID)
        object.add("target_host", host)
        object.add("outcome", outcome)
        object.add("status_code", attempts.last?.status)
        object.add("attempt", attempts.count)
        object.add("meeting_id", head.data.meeting?.id)
        object.add("created_at", head.createdAt)
        return object
    }

    // MARK: What is said of it

    private static let outcomes = Schema.choice(["delivered", "queued", "suppressed", "blocked", "failed"])
    private static let number = Schema.integer(1...).orNull
    private static let status = Schema.integer(0...).orNull

    static let schema = NamedSchema(
        "WebhookDelivery", "An event, and what became of it.",
        .object(
            .required("event_id", .string), .required("event_type", .string), .required("created_at", .time),
            .required("meeting_id", number), .required("sequence", number), .required("outcome", outcomes),
            .required("next_attempt_at", Schema.time.orNull),
            .required(
                "attempts",
                .list(
                    of: .object(
                        .required("at", .time), .required("outcome", outcomes), .required("status_code", status),
                        .required("duration_ms", .integer(0...)), .required("problem", Schema.string.orNull)))),
            .required("answer", Schema.string.orNull, "The first bytes of the last answer.")))

    static let vexaSchema = NamedSchema(
        "UserWebhookDelivery", "An event, and what became of it.",
        .object(
            .required("event_type", .string), .required("event_id", .string), .required("target_host", .string),
            .required("outcome", outcomes), .required("status_code", status), .required("attempt", .integer(0...)),
            .required("meeting_id", number), .required("created_at", .time)))

    static func example(event: String) -> OrderedJSON {
        [
            "event_id": .string(event), "event_type": "meeting.completed", "created_at": .string(Sample.time),
            "meeting_id": 42, "sequence": 6, "outcome": "delivered", "next_attempt_at": nil,
            "attempts": [
                [
                    "at": .string(Sample.time), "outcome": "delivered", "status_code": 200, "duration_ms": 31,
                    "problem": nil,
                ]
            ],
            "answer": "ok",
        ]
    }

    static func vexaExample(event: String) -> OrderedJSON {
        [
            "event_type": "meeting.completed", "event_id": .string(event), "target_host": "example.com",
            "outcome": "delivered", "status_code": 200, "attempt": 1, "meeting_id": 42,
            "created_at": .string(Sample.time),
        ]
    }
}
