import Log
import Usher

/// What a webhook is sent (docs/webhooks.md, "What is sent").
public enum WebhookBody {
    /// Of the form that it has.
    private static let version = "2026-03-01"

    /// An event of a change. It says what was so then, whenever it is sent.
    /// - Parameter namesWorkspace: for who is told of more than one.
    public static func text(_ change: MeetingChange, _ event: Webhook.Event, namesWorkspace: Bool) -> String {
        var data = JSONText(capacity: 1_024)
        data.add("meeting", BotsMeetingObject.json(change.meeting))
        switch event {
        case .statusChange: data.add("status_change", statusChange(change, from: "old_status", to: "new_status"))
        case .started, .failed: data.add("status_change", statusChange(change, from: "from", to: "to"))
        case .completed, .transcriptionReady, .recordingReady, .scheduled, .missed: break
        }
        var body = envelope(id: change.eventID(event), type: event.rawValue, at: change.at)
        if namesWorkspace { body.add("workspace_id", change.meeting.workspaceID) }
        body.add("sequence", change.sequence)
        if let traceparent = change.traceparent { body.add("traceparent", traceparent) }
        body.add("data", data)
        return body.closed
    }

    /// An event that is no more than a sign of life.
    static func test(id: String, at milliseconds: Int, webhook: String) -> String {
        var data = JSONText()
        data.add("webhook_id", webhook)
        var body = envelope(id: id, type: Webhook.Event.test, at: milliseconds)
        body.add("data", data)
        return body.closed
    }

    private static func envelope(id: String, type: String, at milliseconds: Int) -> JSONText {
        var body = JSONText(capacity: 1_536)
        body.add("event_id", id)
        body.add("event_type", type)
        body.add("api_version", version)
        body.add("created_at", time: milliseconds)
        return body
    }

    private static func statusChange(_ change: MeetingChange, from: StaticString, to: StaticString) -> JSONText {
        var object = JSONText()
        object.add(from, change.from.botStatus)
        object.add(to, change.to.botStatus)
        // Until its end the record has that of the bot before.
        let hasEnded = BotsMeetingObject.isTerminal(change.meeting)
        object.add("reason", hasEnded ? change.meeting.fields["completion_reason"] : nil)
        object.add("timestamp", time: change.at)
        object.add("transition_source", change.source.rawValue)
        return object
    }
}
