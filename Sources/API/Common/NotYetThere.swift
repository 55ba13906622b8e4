import HTTP
import JSON

/// What is known in this field to change what a bot does, and is not there yet. A request that has it is refused: who
/// asks for it would wait for it in vain. A value that asks for what is so anyway is taken, and so are members and
/// parameters that nobody in the field knows.
enum NotYetThere {
    /// A member, or a parameter of the query.
    struct Wish: Sendable {
        let name: String
        /// What asks for what is so anyway, beside null, `false` and what is empty.
        var harmless: [String] = []
        /// Whether it is so anyway that this is `true`.
        var isSo = false
        /// What can be done in its place, as the end of a sentence.
        var advice: String?
    }

    private static let webhooks = ["webhook_url", "webhook_secret", "webhook_events", "callback_url"].map {
        Wish(name: $0, advice: "PUT /user/webhook sets the workspace's webhook")
    }

    /// Of all that makes a meeting or sends a bot.
    static let members: [Wish] =
        webhooks + [
            Wish(name: "start_time", advice: "scheduled_at, or join_at of POST /bots, says when"),
            Wish(name: "capture_modes"), Wish(name: "recording_config"),
            Wish(name: "voice_agent_enabled"), Wish(name: "authenticated"), Wish(name: "continue_meeting"),
            Wish(name: "allowed_languages"), Wish(name: "transcription_tier", harmless: ["realtime"]),
        ]

    /// Of `POST /bots` besides: what plans take.
    static let membersOfBots = members + [Wish(name: "scheduled_at", advice: "join_at says when")]

    /// Of what plans a meeting besides: what `POST /bots` takes.
    static let membersOfPlans =
        members + [
            Wish(name: "join_at", advice: "scheduled_at says when"),
            Wish(name: "transcribe_enabled", isSo: true, advice: "POST /bots takes it, with join_at"),
            Wish(name: "recording_enabled", advice: "POST /bots takes it, with join_at"),
            Wish(name: "automatic_leave", advice: "POST /bots takes it, with join_at"),
            Wish(name: "deduplication_key", advice: "POST /bots takes it, with join_at"),
        ]

    /// Of what changes a plan: what cannot be changed.
    static let changesOfPlans =
        [
            "meeting_url", "platform", "native_meeting_id", "passcode", "task", "transcribe_enabled",
            "recording_enabled", "automatic_leave",
        ]
        .map {
            Wish(name: $0, advice: "delete this meeting, and plan another")
        } + ["join_at", "start_time"].map { Wish(name: $0, advice: "scheduled_at says when") }

    /// Of the query of `GET /transcripts/...`.
    static let parameters = [Wish(name: "since", advice: "after names a cursor, and shows what changed behind it")]

    private static func refusal(_ wish: Wish) -> APIError {
        .invalid(wish.name, "is not there yet\(wish.advice.map { ": \($0)" } ?? ""). Leave it out")
    }

    /// The part of a body that may ask for none of these.
    static func refused(_ wishes: [Wish]) -> Member<Void> {
        Member(properties: []) { object in
            for wish in wishes {
                if let value = object.member(wish.name), !asksForNothing(value, wish) { throw refusal(wish) }
            }
        }
    }

    /// - Throws: `APIError` 422 that names the parameter.
    static func refuse(_ wishes: [Wish], inQueryOf request: Request) throws {
        for wish in wishes {
            guard let value = request.query(wish.name), !value.isEmpty else { continue }
            guard wish.harmless.contains(value) else { throw refusal(wish) }
        }
    }

    private static func asksForNothing(_ value: JSONFragment, _ wish: Wish) -> Bool {
        if let flag = value.bool { return flag == wish.isSo }
        if let text = value.text { return text.isEmpty || wish.harmless.contains(text) }
        return value.isNull || value.isEmpty
    }
}
