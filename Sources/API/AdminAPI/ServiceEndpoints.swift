import EventLoop
import HTTP
import Log
import Metrics
import Usher

/// How the whole service is, for whoever runs it: what `usher status` and `usher doctor` say, and what a node remembers.
enum ServiceEndpoints {
    static let all = [status, findings, duePlans, failingWebhooks, history]

    static let status = Endpoint(
        .get, "/admin/status", id: "readStatus", .adminKey, summary: "See what runs, waits and is held",
        details: "In the whole installation, as `usher status --json` prints it.",
        answers: [
            .json(200, "How it is now.", .named(OverviewObject.schema), example: OverviewObject.example)
        ]
    ) { call in
        let overview = try await call.session.installation.overview()
        return try .encoding(200, OverviewObject(overview, memory: call.services.readiness.readiness.memory))
    }

    // MARK: The doctor

    /// The least time that a request has left to be answered in.
    private static let restMilliseconds = 500
    private static let busy = DescribedError(
        APIError(503, "Redis is being looked at, which takes a while. Retry in a few seconds.", retryAfterSeconds: 3),
        "It takes longer than the request may.")
    private static let findingSchema = Schema.object(
        .required("level", .choice(Finding.Level.allCases.map(\.name))), .required("subject", .string),
        .required("found", .string, "How it is."), .required("advice", Schema.string.orNull, "What to do."))

    static let findings = Endpoint(
        .get, "/admin/findings", id: "readFindings", .adminKey, summary: "See whether Redis is set up right",
        details: """
            What `usher doctor` finds. A node looks once at a time, and says for some seconds what it found: `at` is when \
            that was.
            """,
        answers: [
            .json(
                200, "What was found.",
                .object(.required("at", .time), .required("findings", .list(of: findingSchema))),
                example: [
                    "at": .string(Sample.time),
                    "findings": [
                        [
                            "level": "warn", "subject": "memory", "found": "no limit is set (maxmemory 0)",
                            "advice": "Set `maxmemory`.",
                        ]
                    ],
                ])
        ],
        errors: [busy]
    ) { call in
        let left = call.request.deadline.milliseconds(since: .now()) - restMilliseconds
        guard let found = await call.services.insight.findings(max(0, left)) else { throw busy.error }
        var object = JSONText(capacity: 4_096)
        object.add("at", time: found.at)
        object.add(
            "findings",
            found.findings.map { finding in
                var object = JSONText()
                object.add("level", finding.level.name)
                object.add("subject", finding.subject)
                object.add("found", finding.found)
                object.add("advice", finding.advice)
                return object
            })
        return .json(object.bytes)
    }

    // MARK: Plans

    private static let maximumPlans = 100

    static let duePlans = Endpoint(
        .get, "/admin/plans", id: "listDuePlans", .adminKey, summary: "List the plans of the next hour",
        details: """
            Meetings of all workspaces to which a bot is to be sent within an hour, or should have been: the \
            \(maximumPlans) that come first. What is said there, and by whom it was planned, is the workspaces' affair.
            """,
        answers: [
            .json(
                200, "The plans, the soonest first.",
                .object(
                    .required(
                        "plans",
                        .list(
                            of: .object(
                                .required("workspace_id", .uuid), .required("meeting_id", .integer(1...)),
                                .required("platform", .choice(Platform.self)),
                                .required("native_meeting_id", .string),
                                .required("scheduled_at", .time, "When the meeting begins; its bot comes before that."),
                                .required(
                                    "auto_join_error", Schema.string.orNull,
                                    "What has kept a bot from being sent so far.")), atMost: maximumPlans))),
                example: [
                    "plans": [
                        [
                            "workspace_id": .string(Sample.workspaceID), "meeting_id": 42, "platform": "google_meet",
                            "native_meeting_id": "abc-defg-hij", "scheduled_at": .string(Sample.time),
                            "auto_join_error": nil,
                        ]
                    ]
                ])
        ]
    ) { call in
        let plans = try await call.session.meetings.due(limit: maximumPlans)
        var object = JSONText(capacity: 4_096)
        object.add(
            "plans",
            plans.map { plan in
                var object = JSONText()
                object.add("workspace_id", plan.workspaceID)
                object.add("meeting_id", plan.number)
                object.add("platform", plan.room.platform.rawValue)
                object.add("native_meeting_id", plan.room.nativeID)
                object.add("scheduled_at", time: plan.scheduledAt)
                object.add("auto_join_error", plan.reason)
                return object
            })
        return .json(object.bytes)
    }

    // MARK: Webhooks

    private static let maximumWebhooks = 100

    static let failingWebhooks = Endpoint(
        .get, "/admin/webhooks/failing", id: "listFailingWebhooks", .adminKey, summary: "List failing webhooks",
        details: """
            Those of all workspaces that wait to be told of something and whose last attempt failed, the one that has failed \
            for longest first: \(maximumWebhooks) at most. One that was disabled waits for nothing.
            """,
        answers: [
            .json(
                200, "The webhooks.",
                .object(
                    .required(
                        "webhooks",
                        .list(
                            of: .object(
                                .required("workspace_id", .uuid), .required("webhook_id", .string),
                                .required("host", .string, "Of its address: the rest is the workspace's affair."),
                                .required("failing_since", .time))))),
                example: [
                    "webhooks": [
                        [
                            "workspace_id": .string(Sample.workspaceID),
                            "webhook_id": .string("wh_\(Sample.keyID)"), "host": "example.com",
                            "failing_since": .string(Sample.time),
                        ]
                    ]
                ])
        ]
    ) { call in
        let failing = try await call.session.webhooks.failing(limit: maximumWebhooks)
        var object = JSONText(capacity: 1_024)
        object.add(
            "webhooks",
            failing.map { webhook in
                var object = JSONText()
                object.add("workspace_id", webhook.workspaceID)
                object.add("webhook_id", webhook.webhookID)
                object.add("host", ReceiverURL.host(of: webhook.url) ?? "?")
                object.add("failing_since", time: webhook.failingSince)
                return object
            })
        return .json(object.bytes)
    }

    // MARK: The last hour

    private static let count = Schema.integer(0...)

    static let history = Endpoint(
        .get, "/admin/history", id: "readHistory", .adminKey, summary: "See the last hour of a node",
        details: """
            Of the node that answers, minute by minute, the oldest first; it begins with the node. Other nodes have counted \
            their own: `/metrics` of each has all that it counts.
            """,
        answers: [
            .json(
                200, "The minutes.",
                .object(
                    .required(
                        "minutes",
                        .list(
                            of: .object(
                                .required("ended_at", .time), .required("requests", count, "That were answered."),
                                .required("failures", count, "Those of them with a status of 500 or more."),
                                .required("dispatches", count, "Bots that were sent, as requests asked for them."),
                                .required(
                                    "waiting_ms", count.orNull,
                                    "For how long the oldest dispatch of the whole installation had waited at the end of it; "
                                        + "null if Redis did not say.")), atMost: MinuteHistory.length))),
                example: [
                    "minutes": [
                        [
                            "ended_at": .string(Sample.time), "requests": 120, "failures": 0, "dispatches": 3,
                            "waiting_ms": 0,
                        ]
                    ]
                ])
        ]
    ) { call in
        let minutes = await call.services.insight.history()
        var object = JSONText(capacity: 128 * minutes.count)
        object.add(
            "minutes",
            minutes.map { minute in
                var object = JSONText()
                object.add("ended_at", time: minute.endedAt)
                object.add("requests", minute.requests)
                object.add("failures", minute.failures)
                object.add("dispatches", minute.dispatches)
                object.add("waiting_ms", minute.waitingMilliseconds)
                return object
            })
        return .json(object.bytes)
    }
}
