import HTTP
import Usher

/// `/webhooks`: where the key's workspace is told what happens (docs/webhooks.md).
enum WebhookEndpoints {
    static let all = [create, list, get, update, delete, rotate]

    static let path = "/webhooks/{webhook_id}"
    /// Whoever has one gets what all bots of the workspace hear.
    static let access: Access<Caller> = .bots(.manager)
    static let exampleID = "wh_0b6c1f0d8e5a4b9c9f1d2e3a4b5c6d7e"
    static let id = Input<String>.path("webhook_id", "The webhook's id.", example: .string(exampleID))
    /// While a secret is being replaced, both sign for this long.
    private static let overlapMilliseconds = 86_400_000

    // MARK: What they take

    /// Null, or none at all, is every event; `.none`: as it is.
    private static let events = Form<Set<Webhook.Event>??>(
        schema: Schema.list(of: .choice(Webhook.Event.self)).orNull
    ) { fragment in
        if fragment.isNull { return .some(nil) }
        let events = try Form<[String]>.list(of: .string).read(fragment).map { try Webhook.Event(named: $0) }
        return .some(events.isEmpty ? nil : Set(events))
    }

    private static let secret = Form<String>.text(256).map { secret in
        guard WebhookSignature.isSound(secret) else { throw FormError("must have Base64 behind whsec_") }
        return secret
    }

    /// Members that a new one and a change have.
    private static let choices = Member<WebhookChange>.group(
        .optional("events", events, ifAbsent: .none, "Of what to be told; null or none: of everything."),
        .optional(
            "secret", secret, "What deliveries are signed with. A new webhook gets one (`whsec_...`) if none is given."),
        .optional("description", .text(256), "For people."),
        .optional("enabled", .boolean, "Enabled again, it goes on with what waits for it.")
    ) { WebhookChange(secret: $1, events: $0, description: $2, isEnabled: $3) }

    private struct Wish: Sendable {
        let receiver: ReceiverURL?
        var change: WebhookChange

        init(_ receiver: ReceiverURL?, _ change: WebhookChange) {
            self.receiver = receiver
            self.change = change
            self.change.url = receiver?.text
        }
    }

    private static let urlMeaning = "`http(s)://host/path`, without a user, a password or a fragment."
    private static let new = Input<Wish>.body(
        .required("url", ReceiverURL.form, urlMeaning), choices,
        examples: [
            "All that happens": ["url": "https://example.com/hooks/usher", "description": "Our archive"],
            "Only ends": ["url": "https://example.com/hooks/usher", "events": ["meeting.completed", "bot.failed"]],
        ]
    ) { Wish($0, $1) }
    private static let changes = Input<Wish>.body(
        .optional("url", ReceiverURL.form, urlMeaning), choices,
        examples: ["Fewer events": ["events": ["meeting.completed"]], "Enable it again": ["enabled": true]]
    ) { Wish($0, $1) }

    // MARK: Errors

    static func unknown(_ id: String) -> APIError {
        APIError(404, title: "Webhook not found", "There is no webhook \(id.prefix(64)) in this workspace.")
    }

    static let unknownWebhook = DescribedError(unknown(exampleID), "The workspace has no such webhook.")
    static let tooMany = DescribedError(
        APIError(
            409, title: "Too many webhooks",
            "The workspace has \(Webhook.maximum) webhooks, which is the most. Remove one first."),
        "There are as many as there may be.")

    static func named(_ id: String, _ call: Call<Caller>) async throws -> Webhook {
        let found = try await call.session.webhooks.webhook(id, workspace: call.caller.workspaceID)
        guard let found else { throw unknown(id) }
        return found
    }

    // MARK: The endpoints

    static let create = Endpoint(
        .post, "/webhooks", id: "createWebhook", access, summary: "Make a webhook",
        details: """
            From now on each change of a meeting of the key's workspace is sent to its address: docs/webhooks.md says \
            what, how it is signed, and when it is sent again. A workspace may have \(Webhook.maximum). The secret is \
            shown in this answer alone. Addresses and names of private networks are refused.
            """,
        takes: new,
        answers: [
            .json(
                201, "The webhook, with its secret.", .named(WebhookObject.schema), example: WebhookObject.newExample)
        ],
        errors: [tooMany, unknownWebhook, .invalid("The body is wrong.", field: "url", "is required")]
    ) { call, wish in
        try call.services.receivers.check(wish.receiver, field: "url")
        let secret = wish.change.secret ?? Webhook.newSecret()
        var change = wish.change
        change.secret = secret
        change.isEnabled = change.isEnabled ?? true
        change.events = change.events ?? .some(nil)
        let made = try await call.session.webhooks.create(change, workspace: call.caller.workspaceID)
        switch made {
        case .success(let id):
            return .json(WebhookObject.json(try await named(id, call), secret: secret).bytes, status: 201)
        case .failure(.tooMany): throw tooMany.error
        case .failure(.unknownWorkspace): throw unknown("none")
        }
    }

    static let list = Endpoint(
        .get, "/webhooks", id: "listWebhooks", access, summary: "List the webhooks",
        details: "In the order in which they were made.",
        answers: [
            .json(
                200, "The webhooks.", .object(.required("webhooks", .list(of: .named(WebhookObject.schema)))),
                example: ["webhooks": [WebhookObject.example]])
        ]
    ) { call in
        let all = try await call.session.webhooks.all(workspace: call.caller.workspaceID)
        var object = JSONText()
        object.add("webhooks", all.map { WebhookObject.json($0) })
        return .json(object.bytes)
    }

    private static let shown = Answer.json(
        200, "The webhook.", .named(WebhookObject.schema), example: WebhookObject.example)

    static let get = Endpoint(
        .get, path, id: "getWebhookByID", access, summary: "Fetch a webhook by its id",
        details: "Of its secret no more than its end.", takes: id, answers: [shown], errors: [unknownWebhook]
    ) { call, id in
        .json(WebhookObject.json(try await named(id, call)).bytes)
    }

    static let update = Endpoint(
        .patch, path, id: "updateWebhook", access, summary: "Change a webhook",
        details: """
            What is absent or null stays as it is; but null for `events` asks for everything. A new secret takes the \
            place of the present one at once.
            """,
        takes: id, changes, answers: [shown],
        errors: [unknownWebhook, .invalid("The body is wrong.", field: "url", "must be a string")]
    ) { call, id, wish in
        try call.services.receivers.check(wish.receiver, field: "url")
        var change = wish.change
        // One that was enabled all along is not begun anew.
        if change.isEnabled == true, try await named(id, call).isEnabled { change.isEnabled = nil }
        let isThere = try await call.session.webhooks.change(id, workspace: call.caller.workspaceID, change)
        guard isThere else { throw unknown(id) }
        return .json(WebhookObject.json(try await named(id, call)).bytes)
    }

    static let delete = Endpoint(
        .delete, path, id: "deleteWebhook", access, summary: "Remove a webhook",
        details: "With what waits for it, and its history.", takes: id, answers: [.empty("It is removed.")],
        errors: [unknownWebhook]
    ) { call, id in
        let wasThere = try await call.session.webhooks.delete(id, workspace: call.caller.workspaceID)
        guard wasThere else { throw unknown(id) }
        return .empty()
    }

    static let rotate = Endpoint(
        .post, path + "/rotate", id: "rotateWebhookSecret", access, summary: "Replace a webhook's secret",
        details: """
            The new secret is shown in this answer alone. For a day both sign (`webhook-signature` has two signatures), \
            so that the receiver can be given the new one meanwhile. Asked again because an answer was lost, the \
            secret in use still counts.
            """,
        takes: id,
        answers: [
            .json(
                200, "The webhook, with its new secret.", .named(WebhookObject.schema),
                example: WebhookObject.newExample)
        ],
        errors: [unknownWebhook]
    ) { call, id in
        let secret = Webhook.newSecret()
        var change = WebhookChange(secret: secret)
        change.overlapMilliseconds = overlapMilliseconds
        let isThere = try await call.session.webhooks.change(id, workspace: call.caller.workspaceID, change)
        guard isThere else { throw unknown(id) }
        return .json(WebhookObject.json(try await named(id, call), secret: secret).bytes)
    }
}
