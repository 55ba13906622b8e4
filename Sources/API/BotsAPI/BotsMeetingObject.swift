import JSON
import Usher

/// A meeting as the Bots API shows it (docs/bot-wire.md, "Clients"). Every member is always there.
///
/// `data.planned` tells those apart that have had no bot: there is none to stop.
enum BotsMeetingObject {
    /// - Parameter showsPage: whether what was on the meeting's page is shown, which may be what others said.
    static func json(_ meeting: Meeting, showsPage: Bool = false) -> JSONText {
        let status = meeting.shownStatus
        let isTerminal = isTerminal(meeting)
        var object = JSONText(capacity: 768)
        object.add("id", meeting.number)
        object.add("user_id", meeting.createdBy ?? 0)
        object.add("platform", meeting.room.platform.rawValue)
        object.add("native_meeting_id", meeting.room.nativeID)
        object.add("constructed_meeting_url", meeting.url)
        object.add("status", status)
        // Before a runner has claimed the bot, the record may still name the container of an earlier one.
        object.add(
            "bot_container_id",
            status == BotStatus.requested.rawValue ? nil : meeting.fields["bot_container_id"])
        object.add("start_time", time: meeting.startTime)
        object.add("end_time", time: meeting.endTime)
        object.add("completion_reason", isTerminal ? filled(meeting, "completion_reason") : nil)
        object.add("failure_stage", isTerminal ? filled(meeting, "failure_stage") : nil)
        object.add("data", data(of: meeting, isTerminal: isTerminal, showsPage: showsPage))
        object.add("created_at", time: meeting.createdAt)
        object.add("updated_at", time: meeting.updatedAt)
        return object
    }

    /// Whether its bot has ended.
    static func isTerminal(_ meeting: Meeting) -> Bool {
        meeting.botStatus.flatMap(BotStatus.init(rawValue:)).map { !$0.isRunning } ?? false
    }

    /// What users wrote about the meeting and what was collected from it; never its passcode.
    static func data(of meeting: Meeting, isTerminal: Bool, showsPage: Bool = false) -> JSONText {
        var data = JSONText()
        data.add("meeting_id", meeting.id)
        if meeting.botStatus == nil { data.add("planned", json: "true") }
        if let time = meeting.scheduledAt {
            data.add("scheduled_at", time: time)
            data.add("auto_join", json: meeting.autoJoin ? "true" : "false")
        }
        // Of a meeting that has had its bot this is over.
        if meeting.botStatus == nil, let time = meeting.missedAt { data.add("missed_at", time: time) }
        if meeting.botStatus == nil, let reason = meeting.autoJoinError { data.add("auto_join_error", reason) }
        if let title = meeting.title { data.add("name", title) }
        if let participants = list(meeting, "participants") { data.add("participants", json: participants) }
        if let languages = list(meeting, "languages") { data.add("languages", json: languages) }
        if let notes = meeting.fields["notes"] { data.add("notes", notes) }
        if let name = meeting.fields["bot_name"] { data.add("bot_name", name) }
        if let language = meeting.language { data.add("language", language) }
        if let task = meeting.fields["task"] { data.add("task", task) }
        let options = meeting.botOptions
        if let transcribes = options.transcribes {
            data.add("transcribe_enabled", json: transcribes ? "true" : "false")
        }
        if let records = options.records { data.add("recording_enabled", json: records ? "true" : "false") }
        var leave = JSONText()
        if let time = options.automaticLeave.waitingRoomTimeout { leave.add("waiting_room_timeout", time) }
        if let time = options.automaticLeave.noOneJoinedTimeout { leave.add("no_one_joined_timeout", time) }
        if let time = options.automaticLeave.everyoneLeftTimeout { leave.add("everyone_left_timeout", time) }
        if options.automaticLeave != BotOptions.AutomaticLeave() { data.add("automatic_leave", leave) }
        if showsPage, let outline = meeting.pageOutline { data.add("page_outline", outline) }
        if isTerminal {
            if let code = meeting.number("exit_code") { data.add("exit_code", code) }
            if let signal = meeting.number("exit_signal") { data.add("exit_signal", signal) }
            if let details = meeting.fields["error_details"] { data.add("error_details", details) }
        }
        return data
    }

    private static func filled(_ meeting: Meeting, _ field: String) -> String? {
        meeting.fields[field].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// A field that holds a JSON array of strings, as it stands there.
    private static func list(_ meeting: Meeting, _ field: String) -> String? {
        guard let text = meeting.fields[field], let list = try? JSONFragment(json: Array(text.utf8)) else { return nil }
        return list.texts == nil ? nil : text
    }
}
