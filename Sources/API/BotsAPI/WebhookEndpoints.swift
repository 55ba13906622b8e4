import EventLoop
import HTTP
import Usher

/// `PUT` and `GET /user/webhook`: where the key's workspace wants to be told what happens. It is kept and shown; nothing
/// is sent there yet.
enum WebhookEndpoints {
    static let all = [set, get]

    private static let noUser = DescribedError(
        APIError(404, "The user of this API key no longer exists."), "The key's user no longer exists.")

    private static let address = Form<String>.text(2_048).map { url in
        guard let host = host(of: url) else {
            throw FormError("must be http(s)://host/path, without a user, a password or a fragment")
        }
        guard PublicHost.mayBePublic(host) else {
            throw FormError("must name a host of the internet, not of a private network")
        }
        return url
    }

    private static let secret = Form<String>.string.map { secret in
        if !secret.isEmpty, let problem = Administration.problem(of: secret, maximum: 256) { throw FormError(problem) }
        return secret
    }
    .described(as: .text(0...256))

    private static let choice = Schema.object(
        .optional("meeting.started", .boolean), .optional("meeting.status_change", .boolean),
        .optional("meeting.completed", .boolean), .optional("bot.failed", .boolean),
        .optional("transcription.ready", .boolean), .optional("recording.ready", .boolean))

    private static let events = Form<[Webhook.Event: Bool]>(schema: choice) { fragment in
        guard let members = fragment.members else { throw FormError("must be an object") }
        var events: [Webhook.Event: Bool] = [:]
        for (name, value) in members {
            guard let event = Webhook.Event(rawValue: name) else {
                throw FormError(
                    "may have these members: \(Webhook.Event.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            guard let isWanted = value.bool else { throw FormError("must be true or false").inside(member: name) }
            events[event] = isWanted
        }
        return events
    }

    private static let webhook = Input<Webhook>.body(
        .required(
            "webhook_url", address.orNull,
            "`http(s)://host/path`, without a user, a password or a fragment; null removes it, with the secret and the "
                + "choice of events."),
        .optional(
            "webhook_secret", secret,
            "What deliveries are to be signed with; empty or absent, it stays as it is. It is not shown again."),
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
    ) { url, secret, events in
        Webhook(url: url, secret: secret.flatMap { $0.isEmpty ? nil : $0 }, events: events)
    }

    /// Whoever sets it is to get what all bots of the workspace hear, so it takes a manager.
    static let set = Endpoint(
        .put, "/user/webhook", id: "setWebhook", .bots(.manager), summary: "Set the webhook",
        details: """
            Where the key's workspace wants to be told what happens. The address is kept and shown; nothing is sent to \
            it yet. Addresses and names of private networks are refused.
            """,
        takes: webhook,
        answers: [.json(200, "The key's user.", .named(UserObject.schema), example: UserObject.example)],
        errors: [noUser, .invalid("The body is wrong.", field: "webhook_url", "is required")]
    ) { call, webhook in
        try await call.store.setWebhook(webhook, workspace: call.caller.workspaceID, deadline: call.deadline)
        guard let user = try await call.store.user(of: call.caller, deadline: call.deadline) else {
            throw noUser.error
        }
        return try .encoding(200, UserObject(user))
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
        let webhook = try await call.store.webhook(workspace: call.caller.workspaceID, deadline: call.deadline)
        var object = JSONText()
        object.add("webhook_url", webhook.url)
        object.add("webhook_secret_set", json: webhook.secret == nil ? "false" : "true")
        object.add("webhook_secret", webhook.maskedSecret)
        let events = webhook.events ?? [.completed: true]
        let choices = Webhook.Event.allCases.map { "\"\($0.rawValue)\":\(events[$0] ?? false)" }
        object.add("webhook_events", json: "{\(choices.joined(separator: ","))}")
        return .json(object.bytes)
    }

    /// The host of an absolute http or https URL (RFC 3986, section 3) that has maybe a port, and no credentials; nil of
    /// another text.
    static func host(of text: String) -> String? {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && !"\"<>\\^`{|}#".utf8.contains($0) }) else {
            return nil
        }
        let scheme = text.prefix { $0 != ":" }.lowercased()
        guard scheme == "http" || scheme == "https", text.dropFirst(scheme.count).hasPrefix("://") else {
            return nil
        }
        let authority = text.dropFirst(scheme.count + 3).prefix { $0 != "/" && $0 != "?" }
        var host = authority
        if let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") {
            host = authority[..<colon]
            guard let port = UInt16(authority[authority.index(after: colon)...]), port > 0 else { return nil }
        }
        if host.hasPrefix("["), host.hasSuffix("]") {
            let address = host.dropFirst().dropLast()
            return IPAddress(address) == nil ? nil : String(address)
        }
        let isSound =
            !host.isEmpty && host.utf8.count <= 253 && host.first != "." && host.first != "-"
            && host.allSatisfy { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "." || $0 == "_" }
        return isSound ? String(host) : nil
    }
}
