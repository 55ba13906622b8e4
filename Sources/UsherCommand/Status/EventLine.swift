import Log
import Usher

/// A line of `usher watch`.
enum EventLine {
    static func text(_ event: MeetingEvent, _ place: EventWatch.Place, _ format: Logger.Format) -> String {
        let time = Timestamp.withZone(event.at)
        switch format {
        case .json:
            let members = [
                ("time", time), ("what", event.what), ("workspace_id", place.workspaceID), ("room", place.room),
                ("meeting_id", event.meetingID), ("bot_id", event.botID),
                ("from", event.from), ("to", event.to), ("why", event.why), ("trace_id", event.traceID),
                ("id", event.id),
            ]
            return "{" + members.map { "\"\($0.0)\":\"\($0.1.jsonEscaped)\"" }.joined(separator: ",") + "}"
        case .people:
            let step = "\(event.from.jsonEscaped) -> \(event.to.jsonEscaped)"
            let marks = [
                ("workspace", place.workspaceID), ("room", place.room), ("meeting", event.meetingID),
                ("bot", event.botID), ("why", event.why), ("trace", event.traceID),
            ]
            return
                ([time, padded(event.what.jsonEscaped, 18), padded(step, 46)]
                + marks.filter { !$0.1.isEmpty }.map { "\($0.0)=\($0.1.jsonEscaped)" }).joined(separator: "  ")
        }
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
