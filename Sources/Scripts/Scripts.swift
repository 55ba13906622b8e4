/// The text of every script in `lua/`, embedded at build time, with its includes put in.
public enum Scripts {
    public static let dispatch = load("dispatch", PackageResources.dispatch_lua)
    public static let unlock = load("unlock", PackageResources.unlock_lua)
    public static let requestBot = load("request_bot", PackageResources.request_bot_lua)
    public static let expireDispatch = load("expire_dispatch", PackageResources.expire_dispatch_lua)
    public static let claim = load("claim", PackageResources.claim_lua)
    public static let release = load("release", PackageResources.release_lua)
    public static let removeConsumers = load("remove_consumers", PackageResources.remove_consumers_lua)
    public static let renew = load("renew", PackageResources.renew_lua)
    public static let report = load("report", PackageResources.report_lua)
    public static let noteEnding = load("note_ending", PackageResources.note_ending_lua)
    public static let boundLease = load("bound_lease", PackageResources.bound_lease_lua)
    public static let boundIdle = load("bound_idle", PackageResources.bound_idle_lua)
    public static let makeGroup = load("make_group", PackageResources.make_group_lua)
    public static let stop = load("stop", PackageResources.stop_lua)
    public static let configure = load("configure", PackageResources.configure_lua)
    public static let loseBot = load("lose_bot", PackageResources.lose_bot_lua)
    public static let notePrimary = load("note_primary", PackageResources.note_primary_lua)
    public static let finalise = load("finalise", PackageResources.finalise_lua)
    public static let ingestSegments = load("ingest_segments", PackageResources.ingest_segments_lua)
    public static let readSegments = load("read_segments", PackageResources.read_segments_lua)
    public static let createMeeting = load("create_meeting", PackageResources.create_meeting_lua)
    public static let readMeetings = load("read_meetings", PackageResources.read_meetings_lua)
    public static let updateMeeting = load("update_meeting", PackageResources.update_meeting_lua)
    public static let deleteMeeting = load("delete_meeting", PackageResources.delete_meeting_lua)
    public static let removePlan = load("remove_plan", PackageResources.remove_plan_lua)
    public static let purgeMeeting = load("purge_meeting", PackageResources.purge_meeting_lua)
    public static let createUser = load("create_user", PackageResources.create_user_lua)
    public static let createWorkspace = load("create_workspace", PackageResources.create_workspace_lua)
    public static let setMember = load("set_member", PackageResources.set_member_lua)
    public static let removeMember = load("remove_member", PackageResources.remove_member_lua)
    public static let createKey = load("create_key", PackageResources.create_key_lua)
    public static let beat = load("beat", PackageResources.beat_lua)
    public static let retireKey = load("retire_key", PackageResources.retire_key_lua)
    public static let noteUse = load("note_use", PackageResources.note_use_lua)
    public static let takeTokens = load("take_tokens", PackageResources.take_tokens_lua)

    /// Every script, to be loaded when a node connects.
    public static let all = [
        dispatch, unlock, requestBot, expireDispatch, claim, release, removeConsumers, renew, report, noteEnding,
        boundLease, boundIdle, makeGroup, stop, configure, loseBot, notePrimary, finalise, ingestSegments, readSegments,
        createMeeting, readMeetings, updateMeeting, deleteMeeting, removePlan, purgeMeeting, createUser,
        createWorkspace, setMember, removeMember, createKey, beat, retireKey, noteUse, takeTokens,
    ]

    /// A script's file name without its ending, and its text as Redis gets it.
    public struct Source: Sendable {
        public let name: String
        public let text: String
    }

    /// `lua/includes/`: functions that several scripts share.
    private static let includes = [
        "time": PackageResources.time_lua,
        "events": PackageResources.events_lua,
        "members": PackageResources.members_lua,
        "bots": PackageResources.bots_lua,
        "sessions": PackageResources.sessions_lua,
        "send_bot": PackageResources.send_bot_lua,
        "primary": PackageResources.primary_lua,
        "quota": PackageResources.quota_lua,
    ]

    /// What Redis gets. A line `-- flags: <flags>` of the header becomes the first one, as Redis has it from 7.0 on:
    /// `allow-oom` lets a script write although Redis is full.
    private static func load(_ name: String, _ bytes: [UInt8]) -> Source {
        let text = String(decoding: bytes, as: UTF8.self)
        let directive = "-- flags: "
        let flags = text.split(separator: "\n").first { $0.hasPrefix(directive) }?.dropFirst(directive.count)
        return Source(name: name, text: (flags.map { "#!lua flags=\($0)\n" } ?? "") + expand(text, in: name))
    }

    /// Puts the text of `includes/<name>.lua` in place of each line `-- include: <name>`, and drops the other lines
    /// that are comments alone: Redis keeps and hashes every byte of a script.
    private static func expand(_ text: String, in script: String) -> String {
        let directive = "-- include: "
        let lines = text.split(separator: "\n").compactMap { line -> String? in
            if line.hasPrefix(directive) {
                let name = String(line.dropFirst(directive.count))
                guard let include = includes[name] else { preconditionFailure("\(script).lua includes \(name)") }
                return expand(String(decoding: include, as: UTF8.self), in: name)
            }
            return line.hasPrefix("--") ? nil : String(line)
        }
        return lines.joined(separator: "\n")
    }
}
