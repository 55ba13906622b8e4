// Made by `make scripts` from the header of lua/*.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Every script, to be loaded when a node connects.
    public static let all: [Script] = [
        Beat.script, BeginImport.script, BeginMove.script, BoundIdle.script, BoundLease.script, BringForward.script,
        CancelPlan.script, Claim.script, ClaimCalendar.script, ClaimDeliveries.script, Configure.script,
        CreateCalendar.script, CreateKey.script, CreateMeeting.script, CreateUser.script, CreateWebhook.script,
        CreateWorkspace.script, DeleteMeeting.script, DeleteWebhook.script, Dispatch.script, ExpireDispatch.script,
        FileEvent.script, Finalise.script, FinishRemoval.script, ImportFields.script, ImportMeeting.script,
        ImportPlan.script, IngestSegments.script, KeepObject.script, KeepOperator.script, KeepScreenshot.script,
        LetGo.script, LoseBot.script, MakeGroup.script, NoteEnding.script, NoteOccurrence.script, NotePrimary.script,
        NoteRecording.script, NoteUse.script, PlanMeeting.script, PurgeMeeting.script, RaiseSequence.script,
        ReadMeetings.script, ReadSegments.script, Redeliver.script, Release.script, RemoveConsumers.script,
        RemoveMeeting.script, RemoveMember.script, RemovePlan.script, RemoveWorkspace.script, Renew.script,
        Report.script, RequestBot.script, RetireKey.script, SendPlanned.script, SetMember.script, SettleCalendar.script,
        SettleDelivery.script, Stop.script, TakeTokens.script, Unlock.script, UpdateCalendar.script,
        UpdateMeeting.script, UpdateWebhook.script
    ]

    /// `lua/includes/`: functions and keys that several scripts share.
    static let includes: [String: [UInt8]] = [
        "archive": PackageResources.archive_lua, "bots": PackageResources.bots_lua,
        "calendars": PackageResources.calendars_lua, "deliveries": PackageResources.deliveries_lua,
        "entry": PackageResources.entry_lua, "events": PackageResources.events_lua, "feed": PackageResources.feed_lua,
        "life": PackageResources.life_lua, "members": PackageResources.members_lua, "plans": PackageResources.plans_lua,
        "primary": PackageResources.primary_lua, "quota": PackageResources.quota_lua,
        "records": PackageResources.records_lua, "send_bot": PackageResources.send_bot_lua,
        "sessions": PackageResources.sessions_lua, "time": PackageResources.time_lua,
        "versions": PackageResources.versions_lua, "webhooks": PackageResources.webhooks_lua
    ]

    /// The keys of a bot's life, which the scripts that take it from one stage to the next share: the first fourteen.
    public struct Life: Sendable {
        public let keys: [String]

        public init(
            meeting: String, bot: String, inflight: String, room: String, bots: String, leases: String,
            analyzing: String, events: String, ended: String, webhooks: String, outbox: String, operators: String,
            feed: String, feeds: String
        ) {
            keys = [
                meeting, bot, inflight, room, bots, leases, analyzing, events, ended, webhooks, outbox, operators, feed,
                feeds
            ]
        }
    }
}
