import HTTP
import Usher

/// What is said of the workspace's webhook.
enum WebhookOperations {
    static let all = [setWebhook, getWebhook]

    private static let events = Schema.object(
        .optional("meeting.started", .boolean), .optional("meeting.status_change", .boolean),
        .optional("meeting.completed", .boolean), .optional("bot.failed", .boolean),
        .optional("transcription.ready", .boolean), .optional("recording.ready", .boolean))

    static let setWebhook = Operation(
        method: .put, path: "/user/webhook", id: "setWebhook", section: .bots, access: .apiKey(.bots, .manager),
        summary: "Set the webhook",
        details: """
            Where the key's workspace wants to be told what happens. The address is kept and shown; nothing is sent to \
            it yet. Addresses and names of private networks are refused.
            """,
        body: RequestBody(
            schema: .object(
                .required(
                    "webhook_url", Schema.text(1...2_048).orNull,
                    "`http(s)://host/path`, without a user, a password or a fragment; null removes it, with the secret "
                        + "and the choice of events."),
                .optional(
                    "webhook_secret", Schema.text(0...256).orNull,
                    "What deliveries are to be signed with; empty or absent, it stays as it is. It is not shown again."),
                .optional(
                    "webhook_events", events.orNull,
                    "Of what to be told. Only of `meeting.completed` where nothing was ever chosen; absent, it stays as "
                        + "it is.")),
            examples: [
                (
                    "Set it",
                    [
                        "webhook_url": "https://example.com/hooks/usher", "webhook_secret": "a secret of your own",
                        "webhook_events": ["meeting.completed": true, "bot.failed": true],
                    ]
                ),
                ("Remove it", ["webhook_url": nil]),
            ]),
        answers: [
            .json(200, "The key's user.", .named(UserObject.schema), example: UserObject.example)
        ],
        errors: [
            DescribedError(WebhookEndpoint.noUser, "The key's user no longer exists."),
            .invalid("The body is wrong.", field: "webhook_url", "is required"),
        ])

    static let getWebhook = Operation(
        method: .get, path: "/user/webhook", id: "getWebhook", section: .bots, access: .apiKey(.bots, .manager),
        summary: "Fetch the webhook", details: "What was set, and of the secret no more than its end.",
        answers: [
            .json(
                200, "The webhook.",
                .object(
                    .required("webhook_url", Schema.string.orNull), .required("webhook_secret_set", .boolean),
                    .required("webhook_secret", Schema.string.orNull, "Eight stars and the last four characters."),
                    .required("webhook_events", events)),
                example: [
                    "webhook_url": "https://example.com/hooks/usher", "webhook_secret_set": true,
                    "webhook_secret": "********wxyz",
                    "webhook_events": [
                        "meeting.started": false, "meeting.status_change": false, "meeting.completed": true,
                        "bot.failed": true, "transcription.ready": false, "recording.ready": false,
                    ],
                ])
        ])
}
