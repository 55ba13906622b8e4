import Usher

/// A webhook as it is shown.
enum WebhookObject {
    /// - Parameter secret: only where it was made.
    static func json(_ webhook: Webhook, secret: String? = nil) -> JSONText {
        var object = JSONText(capacity: 512)
        object.add("id", webhook.id)
        object.add("url", webhook.url)
        object.add("events", json: names(Webhook.Event.allCases.filter(webhook.wants)))
        object.add("description", webhook.description)
        object.add("enabled", json: webhook.isEnabled ? "true" : "false")
        object.add("secret", secret ?? webhook.maskedSecret)
        object.add("created_at", time: webhook.createdAt)
        object.add("updated_at", time: webhook.updatedAt)
        object.add("failing_since", time: webhook.failingSince)
        object.add("disabled_at", time: webhook.disabledAt)
        object.add("disabled_because", webhook.disabledBecause)
        object.add("dropped_events", webhook.dropped)
        return object
    }

    private static func names(_ events: [Webhook.Event]) -> String {
        "[\(events.map { "\"\($0.rawValue)\"" }.joined(separator: ","))]"
    }

    // MARK: What is said of it

    static let schema = NamedSchema(
        "Webhook", "Where a workspace is told what happens.",
        .object(
            .required("id", .string), .required("url", .string),
            .required("events", .list(of: .choice(Webhook.Event.self)), "Of what it is told."),
            .required("description", .string), .required("enabled", .boolean),
            .required(
                "secret", Schema.string.orNull,
                "Whole where it was made, and eight stars and its last four characters everywhere else."),
            .required("created_at", .time), .required("updated_at", .time),
            .required("failing_since", Schema.time.orNull, "When the first of the latest failures was."),
            .required("disabled_at", Schema.time.orNull, "When it was disabled by its failures."),
            .required(
                "disabled_because", Schema.choice(["gone", "failing"]).orNull,
                "`gone`: its receiver answered 410. `failing`: it failed for five days."),
            .required("dropped_events", .integer(0...), "How many were dropped, since too many waited.")))

    static let example = example(secret: "********aSw=")
    static let newExample = example(secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")

    private static func example(secret: String) -> OrderedJSON {
        [
            "id": .string(WebhookEndpoints.exampleID), "url": "https://example.com/hooks/usher",
            "events": ["meeting.completed"], "description": "Our archive", "enabled": true, "secret": .string(secret),
            "created_at": .string(Sample.time), "updated_at": .string(Sample.time), "failing_since": nil,
            "disabled_at": nil, "disabled_because": nil, "dropped_events": 0,
        ]
    }
}
