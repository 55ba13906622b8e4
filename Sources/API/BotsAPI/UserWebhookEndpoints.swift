import HTTP
import Usher

/// `PUT` and `GET /user/webhook`: the first webhook of the key's workspace, as clients of this API know it
/// (docs/bot-wire.md, "Receivers").
enum UserWebhookEndpoints {
    static let all = [set, get]

    private static let noUser = DescribedError(
        APIError(404, "The user of this API key no longer exists."), "The key's user no longer exists.")
    private static let contended = DescribedError(
        APIError(409, "The webhook keeps being changed by others. Try again."), "Others keep changing it.")

    /// What clients of this API are told of without a choice.
    private static let defaultEvents: Set<Webhook.Event> = [.completed]
    private static let maximumRounds = 5

    private struct Wish: Sendable {
        /// Nil removes it.
        let receiver: ReceiverURL?
        let secret: String?
        let events: Set<Webhook.Event>?
    }

    private static let secret = Form<String>.string.map { secret in
        if !secret.isEmpty, let problem = Administration.problem(of: secret, maximum: 256) { throw FormError(problem) }
        return secret
    }
    .described(as: .text(0...256))

    private static let choice = Schema(
        .object(Webhook.Event.allCases.map { .optional($0.rawValue, .boolean) }, others: nil))

    private static let events = Form<Set<Webhook.Event>>(schema: choice) { fragment in
        guard let members = fragment.members else { throw FormError("must be an object") }
        var events: Set<Webhook.Event> = []
        for (name, value) in members {
            guard let event = Webhook.Event(rawValue: name) else {
                throw FormError(
                    "may have these members: \(Webhook.Event.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            guard let isWanted = value.bool else { throw FormError("must be true or false").inside(member: name) }
            if isWanted { events.insert(event) }
        }
        return events
    }

    private static let wish = Input<Wish>.body(
        .required(
            "webhook_url", ReceiverURL.form.orNull,
            "`http(s)://host/path`, without a user, a password or a fragment; null removes it, with the secret and the "
                + "choice of events."),
        .optional(
            "webhook_secret", secret,
            "What deliveries are signed with; empty or absent, it stays as it is. It is not shown again."),
        .optional(
            "webhook_events", events,
            "Of what to be told. Only of `meeting.completed` where nothing was ever chosen; absent, it stays as it is."),
        examples: [
            "Set it": [
                "webhook_url": "https://example.com/hooks/usher", "webhook_secret": "a secret of your own",
                "webhook_events": ["meeting.completed": true, "bot.failed": true],
            ],
            "Remove it": ["webhook_url": nil],
        ]
    ) { receiver, secret, events in
        Wish(receiver: receiver, secret: secret.flatMap { $0.isEmpty ? nil : $0 }, events: events)
    }

    /// Whoever sets it is to get what all bots of the workspace hear, so it takes a manager.
    static let set = Endpoint(
        .put, "/user/webhook", id: "setWebhook", .bots(.manager), summary: "Set the webhook",
        details: """
            Where the key's workspace is told what happens: docs/webhooks.md says what is sent. It is the first of the \
            workspace's webhooks, and enabled by this if it was disabled. Addresses and names of private networks are \
            refused.
            """,
        takes: wish,
        answers: [.json(200, "The key's user.", .named(UserObject.schema), example: UserObject.example)],
        errors: [
            noUser, contended, WebhookEndpoints.tooMany,
            .invalid("The body is wrong.", field: "webhook_url", "is required"),
        ]
    ) { call, wish in
        try call.services.receivers.check(wish.receiver, field: "webhook_url")
        try await keep(wish, call)
        guard let user = try await call.session.users.user(of: call.caller) else {
            throw noUser.error
        }
        return try .encoding(200, UserObject(user, webhookURL: wish.receiver?.text))
    }

    private static func keep(_ wish: Wish, _ call: Call<Caller>) async throws {
        let (webhooks, workspace) = (call.session.webhooks, call.caller.workspaceID)
        for _ in 0..<maximumRounds {
            let first = try await webhooks.first(workspace: workspace)
            guard let receiver = wish.receiver else {
                if let first {
                    _ = try await webhooks.delete(first.id, workspace: workspace, isFirst: true)
                }
                return
            }
            var change = WebhookChange(url: receiver.text, secret: wish.secret, isEnabled: true)
            if let first {
                if let events = wish.events { change.events = events }
                if try await webhooks.change(first.id, workspace: workspace, change) { return }
            } else {
                change.events = wish.events ?? defaultEvents
                let made = try await webhooks.create(change, workspace: workspace, isFirst: true)
                switch made {
                case .success: return
                case .failure(.unknownWorkspace): throw noUser.error
                case .failure(.tooMany):
                    // Another request made the first one, or there is room for none.
                    if try await webhooks.first(workspace: workspace) == nil { throw WebhookEndpoints.tooMany.error }
                }
            }
        }
        throw contended.error
    }

    static let get = Endpoint(
        .get, "/user/webhook", id: "getWebhook", .bots(.manager), summary: "Fetch the webhook",
        details: "What was set, and of the secret no more than its end.",
        answers: [
            .json(
                200, "The webhook.",
                .object(
                    .required("webhook_url", Schema.string.orNull), .required("webhook_secret_set", .boolean),
                    .required("webhook_secret", Schema.string.orNull, "Eight stars and the last four characters."),
                    .required("webhook_events", choice)),
                example: [
                    "webhook_url": "https://example.com/hooks/usher", "webhook_secret_set": true,
                    "webhook_secret": "********wxyz",
                    "webhook_events": [
                        "meeting.started": false, "meeting.status_change": false, "meeting.completed": true,
                        "bot.failed": true, "transcription.ready": false, "recording.ready": false,
                    ],
                ])
        ]
    ) { call in
        let webhook = try await call.session.webhooks.first(workspace: call.caller.workspaceID)
        var object = JSONText()
        object.add("webhook_url", webhook?.url)
        object.add("webhook_secret_set", json: webhook?.secret == nil ? "false" : "true")
        object.add("webhook_secret", webhook?.maskedSecret)
        let choices = Webhook.Event.allCases.map { event in
            "\"\(event.rawValue)\":\(webhook?.wants(event) ?? defaultEvents.contains(event))"
        }
        object.add("webhook_events", json: "{\(choices.joined(separator: ","))}")
        return .json(object.bytes)
    }
}
