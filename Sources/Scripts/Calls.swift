// Made by `make scripts` from the headers of lua/*.lua, which are what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Every script, to be loaded when a node connects.
    public static let all: [Script] = [
        Beat.script, BoundIdle.script, BoundLease.script, Claim.script, Configure.script, CreateKey.script,
        CreateMeeting.script, CreateUser.script, CreateWorkspace.script, DeleteMeeting.script, Dispatch.script,
        ExpireDispatch.script, Finalise.script, IngestSegments.script, LoseBot.script, MakeGroup.script,
        NoteEnding.script, NotePrimary.script, NoteUse.script, PurgeMeeting.script, ReadMeetings.script,
        ReadSegments.script, Release.script, RemoveConsumers.script, RemoveMember.script, RemovePlan.script,
        Renew.script, Report.script, RequestBot.script, RetireKey.script, SetMember.script, Stop.script,
        TakeTokens.script, Unlock.script, UpdateMeeting.script
    ]

    /// `lua/includes/`: functions and keys that several scripts share.
    static let includes: [String: [UInt8]] = [
        "bots": PackageResources.bots_lua, "entry": PackageResources.entry_lua, "events": PackageResources.events_lua,
        "life": PackageResources.life_lua, "members": PackageResources.members_lua,
        "primary": PackageResources.primary_lua, "quota": PackageResources.quota_lua,
        "send_bot": PackageResources.send_bot_lua, "sessions": PackageResources.sessions_lua,
        "time": PackageResources.time_lua, "versions": PackageResources.versions_lua
    ]

    /// The keys of a bot's life, which the scripts that take it from one stage to the next share: the first nine of each.
    public struct Life: Sendable {
        let keys: [String]

        public init(
            meeting: String, bot: String, inflight: String, room: String, bots: String, leases: String,
            analyzing: String, events: String, ended: String
        ) {
            keys = [meeting, bot, inflight, room, bots, leases, analyzing, events, ended]
        }
    }

    /// A node or a runner says that it is there. Whoever has said nothing for a while is taken off the list, and what it
    /// said ends by itself. Repeating it changes nothing but the times.
    public struct Beat: ScriptCall {
        public static let script = load("beat", PackageResources.beat_lua)
        public let keys: [String]
        public let arguments: [String]

        public init(
            peersKey: String, peerKey: String, id: String, lifetimeMilliseconds: Int, uptimeMilliseconds: Int,
            fields: [String]
        ) {
            keys = [peersKey, peerKey]
            arguments = [id, String(lifetimeMilliseconds), String(uptimeMilliseconds)] + fields
        }

        public enum Reply: Equatable, Sendable {
            case noted
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.code {
            case 1: return .noted
            default: throw reply.unexpected
            }
        }
    }

    /// Has entries that a group has given out later than now, since the clock was set back, count as given out now: nobody
    /// could take them over until the clock has caught up. What was given out this very moment looks the same, and stays.
    public struct BoundIdle: ScriptCall {
        public static let script = load("bound_idle", PackageResources.bound_idle_lua)
        public let keys: [String]
        public let arguments: [String]

        public init(streamKey: String, group: String, maximum: Int) {
            keys = [streamKey]
            arguments = [group, String(maximum)]
        }

        public enum Reply: Equatable, Sendable {
            /// How many, 0 if there is no such stream or group.
            case done(bounded: Int)
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.code {
            case let number? where number >= 0: return .done(bounded: number)
            default: throw reply.unexpected
            }
        }
    }

    /// Brings a lease that ends later than any could, since the clock was set back, to the latest end that it can have: the
    /// supervisor, which counts by a clock that nobody sets, has ended the bot by then unless the lease is renewed.
    /// Repeating it changes nothing.
    public struct BoundLease: ScriptCall {
        public static let script = load("bound_lease", PackageResources.bound_lease_lua)
        public let keys: [String]
        public let arguments: [String]

        public init(leasesKey: String, botKey: String, botID: String, longestMilliseconds: Int) {
            keys = [leasesKey, botKey]
            arguments = [botID, String(longestMilliseconds)]
        }

        public enum Reply: Equatable, Sendable {
            /// Brought forward.
            case bounded
            /// It is as it should be, or there is none.
            case unchanged
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.code {
            case 1: return .bounded
            case 0: return .unchanged
            default: throw reply.unexpected
            }
        }
    }

    /// A runner takes a dispatch: from here on the bot is its to start, under a lease. Only the current bot of the meeting,
    /// still wanted and with its in-flight key alive, can be claimed, and only once; a runner that asks again because it
    /// lost the answer gets the same one, which it tells by the secret: a later claim of its own would take the lease for
    /// younger than it is. An entry that can't be claimed any more is removed, but for one whose time is up:
    /// by its entry, expire_dispatch finds what is to be ended. docs/architecture.md, "Leases".
    public struct Claim: ScriptCall {
        public static let script = load("claim", PackageResources.claim_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes(1)
        public let keys: [String]
        public let arguments: [String]

        public init(
            meetingKey: String, botKey: String, inflightKey: String, leasesKey: String, dispatchKey: String,
            botID: String, epoch: Int, runner: String, leaseMilliseconds: Int, secret: String, entry: String,
            container: String, usesStream: Bool
        ) {
            keys = [meetingKey, botKey, inflightKey, leasesKey, dispatchKey]
            arguments = [
                botID, String(epoch), runner, String(leaseMilliseconds), secret, entry, container, usesStream ? "1" : "0"
            ]
        }

        public enum Reply: Equatable, Sendable {
            case claimed(claimedAt: Int, meeting: [String: String], traceparent: String?, tracestate: String?)
            /// The bot is not the meeting's current one, or has ended.
            case stale
            /// Another runner has it, or another claim of this one.
            case taken
            /// It is no longer wanted.
            case unwanted
            /// Its in-flight key has gone.
            case expired
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.code {
            case 1: return .claimed(claimedAt: try reply.integer(1), meeting: try reply.hash(2), traceparent: try reply.optionalText(3), tracestate: try reply.optionalText(4))
            case 0: return .stale
            case -1: return .taken
            case -2: return .unwanted
            case -3: return .expired
            default: throw reply.unexpected
            }
        }
    }

    /// Changes the configuration of the bot that is in a room (PUT /bots/.../config). It reaches the bot by the answer to
    /// its lease, should the message to it be lost.
    public struct Configure: ScriptCall {
        public static let script = load("configure", PackageResources.configure_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changesUnless(0)
        public let keys: [String]
        public let arguments: [String]

        public init(meetingKey: String, botKey: String, botID: String, fields: [String]) {
            keys = [meetingKey, botKey]
            arguments = [botID] + fields
        }

        public enum Reply: Equatable, Sendable {
            /// This bot is not in the room.
            case notInRoom
            /// The new one.
            case configured(configVersion: Int)
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.code {
            case 0: return .notInRoom
            case let number? where number >= 0: return .configured(configVersion: number)
            default: throw reply.unexpected
            }
        }
    }

    /// Writes the record of an API key. An expiry is Redis' own, so that no node's clock decides when a key ends.
    public struct CreateKey: ScriptCall {
        public static let script = load("create_key", PackageResources.create_key_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changesUnless(0)
        public let keys: [String]
        public let arguments: [String]

        public init(recordKey: String, expiresAt: Int?, fields: [String]) {
            keys = [recordKey]
            arguments = [expiresAt.map { String($0) } ?? ""] + fields
        }

        public enum Reply: Equatable, Sendable {
            /// Expires_at has passed.
            case expired
            case created(createdAt: Int)
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.code {
            case 0: return .expired
            case let number? where number >= 0: return .created(createdAt: number)
            default: throw reply.unexpected
            }
        }
    }

    /// Writes the record of a new meeting, in INITIAL and without a bot. docs/architecture.md, "A meeting's state":
    /// "created".
    public struct CreateMeeting: ScriptCall {
        public static let script = load("create_meeting", PackageResources.create_meeting_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes(1)
        public let keys: [String]
        public let arguments: [String]

        public init(
            workspaceKey: String, meetingsKey: String, latestKey: String, meetingKey: String, eventsKey: String,
            heldKey: String, namesKey: String, requestKey: String? = nil, meetingID: String, number: Int,
            maxEvents: Int, why: String, requestMilliseconds: Int, room: String, names: String, forgotten: String,
            defaultMaxMeetings: Int, defaultMaxBytes: Int, fields: [String]
        ) {
            keys = [
                workspaceKey, meetingsKey, latestKey, meetingKey, eventsKey, heldKey, namesKey
            ] + Scripts.list(requestKey)
            arguments = [
                meetingID, String(number), String(maxEvents), why, String(requestMilliseconds), room, names, forgotten,
                String(defaultMaxMeetings), String(defaultMaxBytes)
            ] + fields
        }

        public enum Reply: Equatable, Sendable {
            case created(createdAt: Int)
            /// Done before, by a request with the same key.
            case repeated(meetingID: String)
            /// There is no such workspace.
            case unknownWorkspace
            /// There is a meeting of this id.
            case idTaken
            /// The workspace has as many meetings as it may have.
            case tooManyMeetings(limit: Int)
            /// Its meetings would take more bytes than they may.
            case tooManyBytes(limit: Int)
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.code {
            case 1: return .created(createdAt: try reply.integer(1))
            case 2: return .repeated(meetingID: try reply.text(1))
            case 0: return .unknownWorkspace
            case -1: return .idTaken
            case -2: return .tooManyMeetings(limit: try reply.integer(1))
            case -3: return .tooManyBytes(limit: try reply.integer(1))
            default: throw reply.unexpected
            }
        }
    }

    /// Writes a user's record unless it is there. Repeating it changes nothing, so that whoever meets a user whose creation
    /// stopped half-way can finish it.
    public struct CreateUser: ScriptCall {
        public static let script = load("create_user", PackageResources.create_user_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = { _ in true }
        public let keys: [String]
        public let arguments: [String]

        public init(userKey: String, userID: Int, email: String, workspaceID: String, fields: [String]) {
            keys = [userKey]
            arguments = [String(userID), email, workspaceID] + fields
        }

        public enum Reply: Equatable, Sendable {
            /// The record.
            case there(record: [String: String])
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.code {
            default: return .there(record: try reply.whole.hash())
            }
        }
    }

    /// Writes a workspace with its owner unless it is there. Repeating it changes nothing.
    public struct CreateWorkspace: ScriptCall {
        public static let script = load("create_workspace", PackageResources.create_workspace_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = { _ in true }
        public let keys: [String]
        public let arguments: [String]

        public init(
            workspaceKey: String, membersKey: String, workspaceID: String, name: String, maxConcurrentBots: Int,
            owner: Int
        ) {
            keys = [workspaceKey, membersKey]
            arguments = [workspaceID, name, String(maxConcurrentBots), String(owner)]
        }

        public enum Reply: Equatable, Sendable {
            /// The workspace.
            case there(record: [String: String])
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.code {
            default: return .there(record: try reply.whole.hash())
            }
        }
    }

    /// Removes a meeting's transcript and what was collected or noted about it, and keeps the bare record
    /// (DELETE /meetings). Only for a meeting that no bot is in or on its way to.
    public struct DeleteMeeting: ScriptCall {
        public static let script = load("delete_meeting", PackageResources.delete_meeting_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes(1)
        public let keys: [String]
        public let arguments: [String]

        public init(meetingKey: String, segmentsKey: String, roomKey: String, workspaceKey: String, meetingID: String) {
            keys = [meetingKey, segmentsKey, roomKey, workspaceKey]
            arguments = [meetingID]
        }

        public enum Reply: Equatable, Sendable {
            case removed
            /// There is no such meeting.
            case unknownMeeting
            /// Its bot is in the room or on its way, or it is being analysed.
            case busy
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.code {
            case 1: return .removed
            case 0: return .unknownMeeting
            case -1: return .busy
            default: throw reply.unexpected
            }
        }
    }

    /// Accepts the dispatch of a bot to a meeting, as the re-invite endpoint asks for it: everything at once, or nothing.
    /// docs/architecture.md, "A meeting's state": "dispatch accepted" and "restarted". The lock is given back whatever the
    /// result, unless it is another's. A repeated call finds the in-flight key and changes nothing.
    public struct Dispatch: ScriptCall {
        public static let script = load("dispatch", PackageResources.dispatch_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes(1)
        public let keys: [String]
        public let arguments: [String]

        public init(
            lockKey: String, inflightKey: String, roomKey: String, botsKey: String, meetingKey: String, botKey: String,
            dispatchKey: String, eventsKey: String, requestKey: String? = nil, token: String, seen: String,
            meetingID: String, workspaceID: String, room: String, botID: String, inflightMilliseconds: Int,
            maxEvents: Int, why: String, traceparent: String, tracestate: String?
        ) {
            keys = [
                lockKey, inflightKey, roomKey, botsKey, meetingKey, botKey, dispatchKey, eventsKey
            ] + Scripts.list(requestKey)
            arguments = [
                token, seen, meetingID, workspaceID, room, botID, String(inflightMilliseconds), String(maxEvents), why,
                traceparent, tracestate ?? ""
            ]
        }

        public enum Reply: Equatable, Sendable {
            case accepted(dispatchedAt: Int, epoch: Int)
            /// Done before, by a request with the same key: bot_id, dispatched_at in ms, epoch and the status that was seen, with spaces between.
            case repeated(what: String)
            /// The lock is not the caller's (any more).
            case notLocked
            /// A dispatch to the room is in flight; the meeting that holds the room.
            case inFlight(holder: String?)
            /// The status is no longer the one that was seen.
            case statusChanged(status: String?)
            /// A bot of this meeting holds the room, and no dispatch is in flight.
            case roomHeld(holder: String)
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.code {
            case 1: return .accepted(dispatchedAt: try reply.integer(1), epoch: try reply.integer(2))
            case 2: return .repeated(what: try reply.text(1))
            case 0: return .notLocked
            case -1: return .inFlight(holder: try reply.optionalText(1))
            case -2: return .statusChanged(status: try reply.optionalText(1))
            case -3: return .roomHeld(holder: try reply.text(1))
            default: throw reply.unexpected
            }
        }
    }

    /// Ends a dispatch that no runner claimed while its in-flight key lived: no runner may claim it any more, so the room
    /// can be given out again. docs/architecture.md, "A meeting's state": "failed before it was in the room". Repeating it
    /// changes nothing.
    public struct ExpireDispatch: ScriptCall {
        public static let script = load("expire_dispatch", PackageResources.expire_dispatch_lua)
        public let keys: [String]
        public let arguments: [String]

        public init(
            life: Life, dispatchKey: String, botID: String, meetingID: String, keepMilliseconds: Int, maxEvents: Int
        ) {
            keys = life.keys + [dispatchKey]
            arguments = [botID, meetingID, String(keepMilliseconds), String(maxEvents)]
        }

        public enum Reply: Equatable, Sendable {
            case ended
            /// The dispatch is still in flight, or another hand wrote that the bot is in the room.
            case inFlight
            /// A runner has claimed it.
            case claimed
            /// The bot is not the meeting's current one.
            case stale
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.code {
            case 1: return .ended
            case 0: return .inFlight
            case -1: return .claimed
            case -2: return .stale
            default: throw reply.unexpected
            }
        }
    }

    /// Writes what was collected from the transcript into the record of a meeting whose bot has left, and moves it from
    /// ANALYZING to OFFLINE. A record that is OFFLINE already gets what came in late. What a user wrote stays. Repeating it
    /// changes nothing. docs/architecture.md, "A meeting's state": "record finalised".
    public struct Finalise: ScriptCall {
        public static let script = load("finalise", PackageResources.finalise_lua)
        public let keys: [String]
        public let arguments: [String]

        public init(
            meetingKey: String, analyzingKey: String, eventsKey: String, botKey: String, meetingID: String,
            botID: String, revision: String?, participants: String, languages: String, maxEvents: Int
        ) {
            keys = [meetingKey, analyzingKey, eventsKey, botKey]
            arguments = [meetingID, botID, revision ?? "", participants, languages, String(maxEvents)]
        }

        public enum Reply: Equatable, Sendable {
            case finalised
            /// It was OFFLINE already, and has what came in since.
            case upToDate
            /// The meeting is not over, or not after this bot's session.
            case notOver
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.code {
            case 1: return .finalised
            case 2: return .upToDate
            case 0: return .notOver
            default: throw reply.unexpected
            }
        }
    }

    /// Takes transcript segments of one session of a meeting in. A draft is replaced by a later form of the same segment, a
    /// confirmed one only by a later confirmed one, and nothing replaces a retracted one; what was taken in before changes
    /// nothing. A record that has been finalised is marked for being finalised again.
    public struct IngestSegments: ScriptCall {
        public static let script = load("ingest_segments", PackageResources.ingest_segments_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changesUnless(-1, -2, -3, -4, -5)
        public let keys: [String]
        public let arguments: [String]

        public init(
            meetingKey: String, segmentsKey: String, analyzingKey: String, workspaceKey: String, botKey: String,
            meetingID: String, botID: String, entry: String?, lastingMilliseconds: Int, maxSegments: Int, maxBytes: Int,
            defaultMaxBytes: Int, segments: [String]
        ) {
            keys = [meetingKey, segmentsKey, analyzingKey, workspaceKey, botKey]
            arguments = [
                meetingID, botID, entry ?? "", String(lastingMilliseconds), String(maxSegments), String(maxBytes),
                String(defaultMaxBytes)
            ] + segments
        }

        public enum Reply: Equatable, Sendable {
            /// There is no such meeting.
            case unknownMeeting
            /// Its transcript was deleted after this session.
            case deleted
            /// More than it may have: nothing was changed but the session's beginning.
            case full
            /// The workspace's meetings would have, likewise.
            case workspaceFull
            /// They came by the stream, whose messages anybody may have written, and the bot was not told to use it, or has ended some time ago.
            case notByStream
            /// How many were changed.
            case stored(changed: Int)
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.code {
            case -1: return .unknownMeeting
            case -2: return .deleted
            case -3: return .full
            case -4: return .workspaceFull
            case -5: return .notByStream
            case let number? where number >= 0: return .stored(changed: number)
            default: throw reply.unexpected
            }
        }
    }

    /// Ends a bot that has gone without a word: its lease ran out, or its runner saw its process end without a terminal
    /// report. One that was not in the room yet is replaced by a new one, next epoch, up to a number of attempts and while
    /// the dispatch is in flight; one in the room ends as failed; a stopped one as completed. Repeating it changes nothing.
    /// docs/architecture.md, "A meeting's state": "failed before it was in the room", "failed in the room, or its runner was
    /// lost".
    public struct LoseBot: ScriptCall {
        public static let script = load("lose_bot", PackageResources.lose_bot_lua)
        public let keys: [String]
        public let arguments: [String]

        public init(
            life: Life, dispatchKey: String, replacementKey: String, primaryKey: String, botID: String,
            meetingID: String, runner: String?, reason: String, replaceable: Bool, maxAttempts: Int,
            replacement: String, keepMilliseconds: Int, maxEvents: Int, leaseMilliseconds: Int, fields: [String]
        ) {
            keys = life.keys + [dispatchKey, replacementKey, primaryKey]
            arguments = [
                botID, meetingID, runner ?? "", reason, replaceable ? "1" : "0", String(maxAttempts), replacement,
                String(keepMilliseconds), String(maxEvents), String(leaseMilliseconds)
            ] + fields
        }

        public enum Reply: Equatable, Sendable {
            case ended(status: String, botStatus: String)
            case replaced(epoch: Int)
            /// It is not the meeting's current bot, or has ended.
            case stale
            /// Its lease has not run out, or may have been renewed by another primary.
            case leased
            /// It is not this runner's.
            case notYours
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.code {
            case 1: return .ended(status: try reply.text(1), botStatus: try reply.text(2))
            case 2: return .replaced(epoch: try reply.integer(1))
            case 0: return .stale
            case -1: return .leased
            case -2: return .notYours
            default: throw reply.unexpected
            }
        }
    }

    /// Makes a consumer group that reads a stream from its beginning, and the stream if it is not there. Repeating it
    /// changes nothing.
    public struct MakeGroup: ScriptCall {
        public static let script = load("make_group", PackageResources.make_group_lua)
        public let keys: [String]
        public let arguments: [String]

        public init(streamKey: String, group: String) {
            keys = [streamKey]
            arguments = [group]
        }

        public enum Reply: Equatable, Sendable {
            case made
            /// It was there.
            case there
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.code {
            case 1: return .made
            case 0: return .there
            default: throw reply.unexpected
            }
        }
    }

    /// A runner notes why it ends a bot, before it does: the bot itself only learns that it is to leave, and may report that
    /// it was stopped. Repeating it changes nothing.
    public struct NoteEnding: ScriptCall {
        public static let script = load("note_ending", PackageResources.note_ending_lua)
        public let keys: [String]
        public let arguments: [String]

        public init(botKey: String, runner: String, reason: String) {
            keys = [botKey]
            arguments = [runner, reason]
        }

        public enum Reply: Equatable, Sendable {
            case noted
            /// The bot is not this runner's, or has ended.
            case notYours
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.code {
            case 1: return .noted
            case 0: return .notYours
            default: throw reply.unexpected
            }
        }
    }

    /// Notes since when this very server answers for a partition, as soon as anyone sees it, and tells how full it is.
    /// Repeating it changes nothing.
    public struct NotePrimary: ScriptCall {
        public static let script = load("note_primary", PackageResources.note_primary_lua)
        public let keys: [String]
        public let arguments: [String]

        public init(primaryKey: String) {
            keys = [primaryKey]
            arguments = []
        }

        public enum Reply: Equatable, Sendable {
            /// Since when in ms, the bytes that count against its limit, and the limit or 0 for none.
            case noted(since: Int, used: Int, limit: Int)
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.code {
            default: return .noted(since: try reply.integer(0), used: try reply.integer(1), limit: try reply.integer(2))
            }
        }
    }

    /// Notes that an API key was used, to the minute. A key that has expired or was revoked stays gone.
    public struct NoteUse: ScriptCall {
        public static let script = load("note_use", PackageResources.note_use_lua)
        public let keys: [String]
        public let arguments: [String]

        public init(recordKey: String) {
            keys = [recordKey]
            arguments = []
        }

        public enum Reply: Equatable, Sendable {
            case noted
            /// For this minute already.
            case notedBefore
            /// There is no such key.
            case unknownKey
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.code {
            case 1: return .noted
            case 0: return .notedBefore
            case -1: return .unknownKey
            default: throw reply.unexpected
            }
        }
    }

    /// Removes a meeting that ended long enough ago, with its transcript: retention. Never one that has a bot, or whose
    /// transcript is being collected. What leads to it from outside its partition is removed by the caller, afterwards: that
    /// this is still to be done is noted in its place among those that have ended, and makes the sweep do it if the caller
    /// stops here.
    public struct PurgeMeeting: ScriptCall {
        public static let script = load("purge_meeting", PackageResources.purge_meeting_lua)
        public let keys: [String]
        public let arguments: [String]

        public init(
            meetingKey: String, segmentsKey: String, meetingsKey: String, latestKey: String, roomKey: String,
            endedKey: String, analyzingKey: String, heldKey: String, namesKey: String, workspaceKey: String,
            meetingID: String, keepMilliseconds: Int, note: String, room: String
        ) {
            keys = [
                meetingKey, segmentsKey, meetingsKey, latestKey, roomKey, endedKey, analyzingKey, heldKey, namesKey,
                workspaceKey
            ]
            arguments = [meetingID, String(keepMilliseconds), note, room]
        }

        public enum Reply: Equatable, Sendable {
            case removed
            /// It is not due, or its transcript is being collected.
            case notDue
            /// It has a bot again: its next end counts.
            case busy
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.code {
            case 1: return .removed
            case 0: return .notDue
            case -1: return .busy
            default: throw reply.unexpected
            }
        }
    }

    /// Reads meetings' records, one after the other, until what was read has a number of bytes: so that a reply is bounded
    /// whatever users have written into them. At least one is read.
    public struct ReadMeetings: ScriptCall {
        public static let script = load("read_meetings", PackageResources.read_meetings_lua)
        public let keys: [String]
        public let arguments: [String]

        public init(meetingKeys: [String], maxBytes: Int, meetingIDs: [String]) {
            keys = meetingKeys
            arguments = [String(maxBytes)] + meetingIDs
        }

        public enum Reply: Equatable, Sendable {
            /// For each record that was read, from the first key on: its meeting_id and then {field, value, ...}, {} where there is none, or the error of what is no hash, which is not to spoil the others.
            case read(records: [Value])
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.code {
            default: return .read(records: try reply.whole.arrayOrThrow())
            }
        }
    }

    /// Hands a node what bots wrote to the segment stream: what is new, or what it was handed before and has not
    /// acknowledged. Bots may write what they like, so this reads entry by entry and hands out no more than is bounded here.
    /// It notes which nodes have begun with an entry; one that has understood it takes the note away. An entry that others
    /// have begun with is handed out alone, so that no other is taken for the one that they ended over, and then no more.
    public struct ReadSegments: ScriptCall {
        public static let script = load("read_segments", PackageResources.read_segments_lua)
        public let keys: [String]
        public let arguments: [String]

        public init(
            streamKey: String, attemptsKey: String, group: String, node: String, after: String, maxEntries: Int,
            maxBytes: Int, maxPayloadBytes: Int, prefixBytes: Int, maxOthers: Int, keepMilliseconds: Int
        ) {
            keys = [streamKey, attemptsKey]
            arguments = [
                group, node, after, String(maxEntries), String(maxBytes), String(maxPayloadBytes), String(prefixBytes),
                String(maxOthers), String(keepMilliseconds)
            ]
        }

        public enum Reply: Equatable, Sendable {
            /// For each entry one of {id, 'whole', payload, bytes}  to be taken in {id, 'long', prefix, bytes}    its payload has more bytes than it may {id, 'tried', prefix, bytes}   so many nodes have ended over it {id, 'empty'}                  it has no field named payload {id, 'gone'}                   it was removed while it was pending.
            case read(entries: [Value])
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.code {
            default: return .read(entries: try reply.whole.arrayOrThrow())
            }
        }
    }

    /// A runner hands a claimed bot back that it has not started: another runner may claim it. Repeating it changes nothing.
    public struct Release: ScriptCall {
        public static let script = load("release", PackageResources.release_lua)
        public let keys: [String]
        public let arguments: [String]

        public init(
            meetingKey: String, botKey: String, leasesKey: String, dispatchKey: String, botID: String, runner: String
        ) {
            keys = [meetingKey, botKey, leasesKey, dispatchKey]
            arguments = [botID, runner]
        }

        public enum Reply: Equatable, Sendable {
            /// Handed back.
            case released
            /// The bot is not this runner's (any more).
            case notYours
            /// It is no longer wanted.
            case unwanted
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.code {
            case 1: return .released
            case 0: return .notYours
            case -1: return .unwanted
            default: throw reply.unexpected
            }
        }
    }

    /// Removes consumers of a stream's group that have read nothing for a while and have nothing pending: those of runners,
    /// or nodes, that are gone. One that lives becomes a consumer again by its next read. Looked at and removed in one step,
    /// since a consumer's pending entries would go with it.
    public struct RemoveConsumers: ScriptCall {
        public static let script = load("remove_consumers", PackageResources.remove_consumers_lua)
        public let keys: [String]
        public let arguments: [String]

        public init(streamKey: String, group: String, leastIdleMilliseconds: Int) {
            keys = [streamKey]
            arguments = [group, String(leastIdleMilliseconds)]
        }

        public enum Reply: Equatable, Sendable {
            /// How many were removed, 0 if there is no such stream or group.
            case done(removed: Int)
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.code {
            case let number? where number >= 0: return .done(removed: number)
            default: throw reply.unexpected
            }
        }
    }

    /// Takes a user out of a workspace: the user's API keys for it are refused from the next request on.
    public struct RemoveMember: ScriptCall {
        public static let script = load("remove_member", PackageResources.remove_member_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes(1, 0)
        public let keys: [String]
        public let arguments: [String]

        public init(membersKey: String, userID: Int) {
            keys = [membersKey]
            arguments = [String(userID)]
        }

        public enum Reply: Equatable, Sendable {
            case removed
            /// The user is no member; one removed before may still be there on a replica.
            case unknownMember
            /// The workspace would have no owner left.
            case lastOwner
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.code {
            case 1: return .removed
            case 0: return .unknownMember
            case -1: return .lastOwner
            default: throw reply.unexpected
            }
        }
    }

    /// Removes a planned meeting that never had a bot (DELETE /meetings). What leads to it from outside its partition is
    /// removed by the caller, afterwards: that this is still to be done is noted among the meetings that have ended.
    public struct RemovePlan: ScriptCall {
        public static let script = load("remove_plan", PackageResources.remove_plan_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes(1)
        public let keys: [String]
        public let arguments: [String]

        public init(
            meetingKey: String, meetingsKey: String, latestKey: String, heldKey: String, namesKey: String,
            endedKey: String, previousKey: String, workspaceKey: String, meetingID: String, previousID: String?,
            note: String, room: String
        ) {
            keys = [meetingKey, meetingsKey, latestKey, heldKey, namesKey, endedKey, previousKey, workspaceKey]
            arguments = [meetingID, previousID ?? "", note, room]
        }

        public enum Reply: Equatable, Sendable {
            case removed
            /// There is no such meeting.
            case unknownMeeting
            /// It is planned no more, as a bot was sent to it.
            case busy
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.code {
            case 1: return .removed
            case 0: return .unknownMeeting
            case -1: return .busy
            default: throw reply.unexpected
            }
        }
    }

    /// Renews the leases of a runner's bots in one partition, and tells what is wanted of each. A lease that has run out is
    /// not renewed, even if nobody has noticed yet: the bot's supervisor has ended it by then. docs/architecture.md,
    /// "Leases".
    public struct Renew: ScriptCall {
        public static let script = load("renew", PackageResources.renew_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes(1)
        public let keys: [String]
        public let arguments: [String]

        public init(leasesKey: String, botKeys: [String], runner: String, leaseMilliseconds: Int, botIDs: [String]) {
            keys = [leasesKey] + botKeys
            arguments = [runner, String(leaseMilliseconds)] + botIDs
        }

        public enum Reply: Equatable, Sendable {
            /// Some of them; for each bot {} if its lease is refused, else {desired ('run' or 'leave'), config_version, language or '', task or '', bot_name or '', whether the bot has been in the room: 1 or 0}.
            case renewed(bots: [Value])
            /// The leases of all of them.
            case refused
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.code {
            case 1: return .renewed(bots: try reply.array(1))
            case 0: return .refused
            default: throw reply.unexpected
            }
        }
    }

    /// Takes in a bot's report of its status, if it comes from the meeting's current bot and is the next step along
    /// docs/architecture.md, "A meeting's state"; anything else changes nothing. The bot's secret has been checked by the
    /// caller.
    public struct Report: ScriptCall {
        public static let script = load("report", PackageResources.report_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes(1, 0)
        public let keys: [String]
        public let arguments: [String]

        public init(
            life: Life, heldKey: String, botID: String, meetingID: String, step: String, reason: String?,
            stage: String?, keepMilliseconds: Int, maxEvents: Int, fields: [String]
        ) {
            keys = life.keys + [heldKey]
            arguments = [
                botID, meetingID, step, reason ?? "", stage ?? "", String(keepMilliseconds), String(maxEvents)
            ] + fields
        }

        public enum Reply: Equatable, Sendable {
            /// With the time since its dispatch if it is in the room now.
            case taken(status: String, botStatus: String, ageMilliseconds: Int?)
            /// Told before, which may still not be on a replica; nothing was changed.
            case known(status: String, botStatus: String)
            /// Not a step that is allowed from here.
            case illegal(from: String, to: String)
            /// The bot is not the meeting's current one, or has ended.
            case stale
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.code {
            case 1: return .taken(status: try reply.text(1), botStatus: try reply.text(2), ageMilliseconds: try reply.optionalInteger(3))
            case 0: return .known(status: try reply.text(1), botStatus: try reply.text(2))
            case -1: return .illegal(from: try reply.text(1), to: try reply.text(2))
            case -2: return .stale
            default: throw reply.unexpected
            }
        }
    }

    /// Accepts a bot as the Bots API asks for it (POST /bots): limit, room, record, in-flight key and stream entry, at once
    /// or not at all. docs/architecture.md, "A meeting's state": "created" (for a new record) and "dispatch accepted".
    public struct RequestBot: ScriptCall {
        public static let script = load("request_bot", PackageResources.request_bot_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes(1)
        public let keys: [String]
        public let arguments: [String]

        public init(
            workspaceKey: String, inflightKey: String, roomKey: String, botsKey: String, meetingKey: String,
            botKey: String, dispatchKey: String, eventsKey: String, latestKey: String, meetingsKey: String,
            namesKey: String, otherKey: String, anotherKey: String, requestKey: String? = nil, meetingID: String,
            number: Int?, workspaceID: String, room: String, botID: String, inflightMilliseconds: Int, maxEvents: Int,
            why: String, defaultMaxBots: Int, latest: String?, traceparent: String, tracestate: String?, names: String,
            forgotten: String, defaultMaxMeetings: Int, defaultMaxBytes: Int, fields: [String]
        ) {
            keys = [
                workspaceKey, inflightKey, roomKey, botsKey, meetingKey, botKey, dispatchKey, eventsKey, latestKey,
                meetingsKey, namesKey, otherKey, anotherKey
            ] + Scripts.list(requestKey)
            arguments = [
                meetingID, number.map { String($0) } ?? "", workspaceID, room, botID, String(inflightMilliseconds),
                String(maxEvents), why, String(defaultMaxBots), latest ?? "", traceparent, tracestate ?? "", names,
                forgotten, String(defaultMaxMeetings), String(defaultMaxBytes)
            ] + fields
        }

        public enum Reply: Equatable, Sendable {
            case accepted(meeting: [String: String])
            /// Done before, by a request with the same key.
            case repeated(meetingID: String)
            /// There is no such workspace.
            case unknownWorkspace
            /// Or a bot is there by another name: whose meeting.
            case inFlight(holder: String?)
            /// What was seen of the room has changed: look again.
            case roomChanged
            /// A bot of this meeting holds the room, and no dispatch is in flight.
            case roomHeld(holder: String)
            /// The workspace's bots have reached their limit.
            case tooManyBots(limit: Int)
            /// The workspace has as many meetings as it may have.
            case tooManyMeetings(limit: Int)
            /// Its meetings would take more bytes than they may.
            case tooManyBytes(limit: Int)
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.code {
            case 1: return .accepted(meeting: try reply.hash(1))
            case 2: return .repeated(meetingID: try reply.text(1))
            case 0: return .unknownWorkspace
            case -1: return .inFlight(holder: try reply.optionalText(1))
            case -2: return .roomChanged
            case -3: return .roomHeld(holder: try reply.text(1))
            case -4: return .tooManyBots(limit: try reply.integer(1))
            case -6: return .tooManyMeetings(limit: try reply.integer(1))
            case -7: return .tooManyBytes(limit: try reply.integer(1))
            default: throw reply.unexpected
            }
        }
    }

    /// Ends an API key that was replaced by another one: after a grace, and never later than it would have ended. Only the
    /// first one that replaces it counts.
    public struct RetireKey: ScriptCall {
        public static let script = load("retire_key", PackageResources.retire_key_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes(1)
        public let keys: [String]
        public let arguments: [String]

        public init(recordKey: String, successor: String, graceMilliseconds: Int) {
            keys = [recordKey]
            arguments = [successor, String(graceMilliseconds)]
        }

        public enum Reply: Equatable, Sendable {
            case retired(expiresAt: Int)
            /// There is no such key.
            case unknownKey
            /// By the key of this id.
            case retiredBefore(successor: String)
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.code {
            case 1: return .retired(expiresAt: try reply.integer(1))
            case 0: return .unknownKey
            case -1: return .retiredBefore(successor: try reply.text(1))
            default: throw reply.unexpected
            }
        }
    }

    /// Gives a user a role in a workspace, or another one.
    public struct SetMember: ScriptCall {
        public static let script = load("set_member", PackageResources.set_member_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes(1)
        public let keys: [String]
        public let arguments: [String]

        public init(workspaceKey: String, membersKey: String, userID: Int, role: String) {
            keys = [workspaceKey, membersKey]
            arguments = [String(userID), role]
        }

        public enum Reply: Equatable, Sendable {
            case done
            /// There is no such workspace.
            case unknownWorkspace
            /// The workspace would have no owner left.
            case lastOwner
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.code {
            case 1: return .done
            case 0: return .unknownWorkspace
            case -1: return .lastOwner
            default: throw reply.unexpected
            }
        }
    }

    /// Stops the bot that holds a room. One that no runner has claimed ends at once; any other is told to leave, by the
    /// answer to its lease if by nothing else, and ends as completed whatever happens to it. Repeating it changes nothing.
    /// docs/architecture.md, "A meeting's state": "stop asked" and "stopped before it was in the room".
    public struct Stop: ScriptCall {
        public static let script = load("stop", PackageResources.stop_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes(1, 2, 3)
        public let keys: [String]
        public let arguments: [String]

        public init(
            life: Life, dispatchKey: String, requestKey: String? = nil, botID: String, meetingID: String,
            keepMilliseconds: Int, maxEvents: Int, why: String, requestMilliseconds: Int
        ) {
            keys = life.keys + [dispatchKey] + Scripts.list(requestKey)
            arguments = [
                botID, meetingID, String(keepMilliseconds), String(maxEvents), why, String(requestMilliseconds)
            ]
        }

        public enum Reply: Equatable, Sendable {
            /// At once.
            case ended(traceparent: String?)
            /// Told to leave.
            case leaving(traceparent: String?)
            /// Was stopping already.
            case wasLeaving(traceparent: String?)
            /// The room is not held by this bot (any more).
            case roomChanged
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.code {
            case 1: return .ended(traceparent: try reply.optionalText(1))
            case 2: return .leaving(traceparent: try reply.optionalText(1))
            case 3: return .wasLeaving(traceparent: try reply.optionalText(1))
            case 0: return .roomChanged
            default: throw reply.unexpected
            }
        }
    }

    /// Takes tokens out of a bucket: as many as it has, up to what is asked for. A bucket fills by so many a second until it
    /// is full; what is kept of it is the moment when it will be, so that a full one takes no memory.
    public struct TakeTokens: ScriptCall {
        public static let script = load("take_tokens", PackageResources.take_tokens_lua)
        public let keys: [String]
        public let arguments: [String]

        public init(bucketKey: String, recordKey: String? = nil, perSecond: Int, burst: Int, wanted: Int) {
            keys = [bucketKey] + Scripts.list(recordKey)
            arguments = [String(perSecond), String(burst), String(wanted)]
        }

        public enum Reply: Equatable, Sendable {
            /// So many.
            case taken(tokens: Int)
            /// Until there is one.
            case empty(milliseconds: Int)
            /// There is no such API key, and so no bucket.
            case unknownKey
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.code {
            case 1: return .taken(tokens: try reply.integer(1))
            case 0: return .empty(milliseconds: try reply.integer(1))
            case -1: return .unknownKey
            default: throw reply.unexpected
            }
        }
    }

    /// Gives a workspace's lock back, if it is still the caller's.
    public struct Unlock: ScriptCall {
        public static let script = load("unlock", PackageResources.unlock_lua)
        public let keys: [String]
        public let arguments: [String]

        public init(lockKey: String, token: String) {
            keys = [lockKey]
            arguments = [token]
        }

        public enum Reply: Equatable, Sendable {
            /// Given back.
            case unlocked
            /// The lock is another's.
            case notYours
            /// There is no lock.
            case notLocked
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.code {
            case 1: return .unlocked
            case 0: return .notYours
            case -1: return .notLocked
            default: throw reply.unexpected
            }
        }
    }

    /// Changes what users write into a meeting's record: name, participants, languages, notes and their like. Together they
    /// are bounded, whoever wrote which of them when: a list shows them all.
    public struct UpdateMeeting: ScriptCall {
        public static let script = load("update_meeting", PackageResources.update_meeting_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes(1)
        public let keys: [String]
        public let arguments: [String]

        public init(meetingKey: String, workspaceKey: String, maxBytes: Int, defaultMaxBytes: Int, fields: [String]) {
            keys = [meetingKey, workspaceKey]
            arguments = [String(maxBytes), String(defaultMaxBytes)] + fields
        }

        public enum Reply: Equatable, Sendable {
            case changed
            /// There is no such meeting.
            case unknownMeeting
            /// It would have too many bytes.
            case full
            /// Its workspace would: nothing was changed.
            case workspaceFull
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.code {
            case 1: return .changed
            case 0: return .unknownMeeting
            case -1: return .full
            case -2: return .workspaceFull
            default: throw reply.unexpected
            }
        }
    }
}
