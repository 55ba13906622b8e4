"""Mutants of Usher."""

from mutant import Mutant

SWEEPER = "Usher/Sweep/Sweeper.swift"
RETENTION = """(retention > 0
                ? [due(partition.ended, by: now - retention), due(partition.archived, by: now - retention)] : [])"""
REINVITE = "Usher/Bots/Reinvitation.swift"
ALLOWANCE = "Usher/Store/RateLimits/Allowance.swift"
INVALID = "Usher/Store/RateLimits/InvalidRequests.swift"
CALLERS = "Usher/Access/Callers.swift"
LEASES = "Usher/Bots/Bots+Leases.swift"
POSITIONS = "Usher/Transcripts/StreamPositions.swift"
FINALISE = "Usher/Transcripts/Transcripts+Finalise.swift"
READER = "Usher/Transcripts/SegmentReader.swift"
WATCH = "Usher/Status/EventWatch.swift"
KEYS = "Usher/Access/APIKeys.swift"
REMOVALS = "Usher/Sweep/WorkspaceRemovals.swift"
SENDING_AGAIN = ("ReinvitationTests", "ReinvitationFaultTests", "RulesTests")

USHER = (
    Mutant("a sweep leaves out a partition", SWEEPER, "try await Rounds.inEach(«Partition.all») {",
           "Array(Partition.all.dropLast())", ("SweepTests",)),
    Mutant("clocks go unseen while a round goes on", SWEEPER, "if «Task.isCancelled» { return }", "true", ("SweepTests",)),
    Mutant("records in ANALYZING are taken from the node that finalises them", SWEEPER,
           "now - Self.analyzingGraceMilliseconds", "now", ("FinaliseTests",)),
    Mutant("a dispatch ends though it is in flight", SWEEPER, "«remaining == .integer(-2)» ? entry : nil", "true",
           ("SweepTests",),
           equivalent="The script looks again for itself, and leaves alone what is in flight: this only spares calls."),
    Mutant("a lease without a bot is kept", SWEEPER,
           '_ = try await session.send(Command("ZREM", partition.leases, botID))', "", ("SweepTests",),
           is_statement=True),
    Mutant("meetings are kept for ever", SWEEPER, RETENTION, "[]", ("FinaliseTests",)),
    Mutant("meetings are removed at once", SWEEPER, RETENTION,
           "(retention > 0 ? [due(partition.ended, by: now), due(partition.archived, by: now - retention)] : [])",
           ("FinaliseTests",),
           equivalent="The script looks again for itself at how long ago a meeting ended: this only spares calls."),
    Mutant("a lease that ran out in the room is not finalised", SWEEPER,
           "if «status == MeetingStatus.analyzing.rawValue» {", "false", ("SweepTests",),
           equivalent="A bot that is lost in the room ends as failed and OFFLINE: only a report leads to ANALYZING."),

    Mutant("what a late request wrote is left of a workspace", REMOVALS,
           "try await session.apiKeys.revokeAll(workspace: id)", "", ("WorkspaceRemovalTests",), is_statement=True),
    Mutant("meetings are removed while their bots leave", REMOVALS, "guard «bots.isEmpty» else {", "true",
           ("WorkspaceRemovalTests",)),
    Mutant("calendars of a workspace that was removed stay", REMOVALS,
           "try await session.calendars.removeAll(ofRemoved: id)", "", ("WorkspaceRemovalTests",), is_statement=True),

    Mutant("a request that failed keeps the lock", REINVITE, "if error.mayHaveRun { await giveBack(token) }", "",
           SENDING_AGAIN, is_statement=True),
    Mutant("members may send bots again", REINVITE, "«role >= .manager» else { throw .roleTooLow }", "true",
           SENDING_AGAIN),
    Mutant("a restart is done though the status has changed", REINVITE,
           "if !isRestart { _ = try Self.judge(status, forceRestart: forceRestart) }",
           "_ = try Self.judge(status, forceRestart: forceRestart)", SENDING_AGAIN, is_statement=True),
    Mutant("a room that is held is tried for once only", REINVITE, "guard isFree, «!isLastRound» else", "false",
           SENDING_AGAIN),
    Mutant("OFFLINE is restarted unasked", REINVITE, "guard «forceRestart» else { throw .offline }", "true",
           SENDING_AGAIN),
    Mutant("a meeting of another platform is sent to", REINVITE, "guard «platform == .googleMeet» else", "true",
           SENDING_AGAIN),
    Mutant("the holder of the room is the meeting itself", REINVITE, "«holder.isEmpty || holder == meetingID» ? nil",
           "holder.isEmpty", SENDING_AGAIN + ("ReinviteHTTPTests",)),
    Mutant("a lock that is held is waited for without end", REINVITE, "guard «left > 0» else {", "true",
           SENDING_AGAIN + ("ReinviteHTTPTests",)),

    Mutant("tokens do not lapse", ALLOWANCE, "if «now >= lapse» {", "false", ("AllowanceTests",)),
    Mutant("requests rest on a question without bound", ALLOWANCE, "promised -= 1", "", ("AllowanceTests",),
           is_statement=True),
    Mutant("what was owed is forgotten", ALLOWANCE, "share + max(0, -tokens)", "share", ("AllowanceTests",)),
    Mutant("no answer of Redis refuses all", ALLOWANCE, "case .unknownKey, nil: «tokens += count»", "tokens += 0",
           ("AllowanceTests", "RateLimitTests")),
    Mutant("an empty bucket is asked again at once", ALLOWANCE, "max(milliseconds, Self.leastPauseMilliseconds)", "0",
           ("AllowanceTests",)),
    Mutant("a request is let through on another's answer", ALLOWANCE, "tokens > 0 || «answered < question»",
           "isAsking", ("AllowanceTests",)),
    Mutant("what comes while Redis is asked does not count", INVALID,
           "guard !allowance.isAsking else {\n            «allowance.owe()»", "", ("RateLimitTests",),
           is_statement=True),
    Mutant("each address of a network of IPv6 counts by itself", INVALID,
           "let address = «address.subscriber»\n", "address", ("RateLimitTests",)),
    Mutant("a loop takes all tokens at once", "Usher/Store/RateLimits/RateLimit.swift",
           "min(100, max(1, min(perSecond, burst) / 20))", "burst", ("AllowanceTests", "RateLimitTests")),

    Mutant("what was read for a key's former owner is used", CALLERS, "«owner == remembered» ? replies.dropFirst()",
           "true", ("VisitorTests", "ReinviteHTTPTests")),
    Mutant("a limit is not heeded", CALLERS, "guard «isWithinLimit» else {", "true", ("RateLimitTests",)),
    Mutant("a new key is asked about from an address that is refused", CALLERS, "if «seen == nil», let pause", "false",
           ("RateLimitTests",)),
    Mutant("a bot that is to leave is told to stay", LEASES, 'leaves: «desired != "run"»', "false",
           ("ReleaseAndRenewScriptTests", "StopTests", "LeaseKeeperTests")),
    Mutant("a stale secret opens the door", "Usher/Bots/Bots+Reports.swift",
           "Digest.areEqual(stored, Digest.sha256(secret))", "true", ("test_status_reports.py",)),
    Mutant("a report that ends in ANALYZING is left to the sweep", "Usher/Bots/Bots+Reports.swift",
           "if «status == MeetingStatus.analyzing.rawValue» {", "false", ("FinaliseTests",)),

    Mutant("languages come in any order", FINALISE, "($1.count, $0.code) < ($0.count, $1.code)", "$0.code > $1.code",
           ("FinaliseTests",)),
    Mutant("speakers stand where they spoke last", FINALISE, "min(first, place)", "max(first, place)",
           ("FinaliseTests",)),
    Mutant("what a node took and left is never taken over", READER, "if «nextTakeover <= .now()» {", "false",
           ("SegmentReaderTests",)),
    Mutant("an entry that cannot be used is passed over in silence", READER,
           "if let reason = Self.summary(of: try await problems(with: entry)) { try await bury(entry, reason) }",
           "_ = try await problems(with: entry)", ("SegmentReaderTests",), is_statement=True),
    Mutant("events of all workspaces are shown", WATCH,
           "if let workspace = filter.workspace, «place?.workspaceID != workspace» {", "false && workspace.isEmpty",
           ("OverviewTests", "test_status_and_watch.py")),
    Mutant("an idempotency key of any length", "Usher/Store/IdempotencyKey.swift",
           "(1...Self.maximumBytes).contains(text.utf8.count)", "!text.isEmpty",
           ("IdempotencyTests", "ReinviteHTTPTests")),
    Mutant("an earlier request's answer is given before replicas have it", "Usher/Meetings/Meetings.swift",
           "if let key { try await session.confirmEarlierRequest(key) }", "", ("IdempotencyTests",),
           is_statement=True),
    Mutant("a bot's id of another partition is taken", "Usher/Store/Keys.swift",
           "guard «Identifier.isUUID(id)», let digit", "true", ("KeysTests", "IdentifierTests", "TranscriptTests")),

    Mutant("bots may write to a closed stream", "Usher/Bots/BotRights.swift",
           "let stream = «writesToStream» ?", "true", ("test_bot_users.py -k closed",)),
    Mutant("every bot is noted as told to use the stream", "Usher/Bots/Bots+Claims.swift", "usesStream: «writesToStream»", "true",
           ("test_bot_users.py -k closed",)),

    Mutant("what was read before a claim is the claimed bot's", POSITIONS, "claims.last { «$0.after < entry» }",
           "$0.after <= entry", ("TranscriptTests",)),
    Mutant("notes of earlier bots alone tell whose an entry is", POSITIONS, "«claims.last?.bot == current», let", "true",
           ("TranscriptTests",)),
)
