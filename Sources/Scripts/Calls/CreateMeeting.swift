// Made by `make scripts` from the header of lua/create_meeting.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Writes the record of a new meeting, in INITIAL and without a bot: docs/architecture.md, "A meeting's state".
    public struct CreateMeeting: ScriptCall {
        public static let script = load("create_meeting", PackageResources.create_meeting_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes("created")
        public let keys: [String]
        public let arguments: [String]

        public init(
            workspaceKey: String, meetingsKey: String, latestKey: String, meetingKey: String, eventsKey: String,
            heldKey: String, namesKey: String, plansKey: String, plannedKey: String, dedupKey: String,
            calendarKey: String, occurrencesKey: String, webhooksKey: String, outboxKey: String, operatorKey: String,
            requestKey: String? = nil, meetingID: String, number: Int, maxEvents: Int, why: String,
            requestMilliseconds: Int, room: String, names: String, forgotten: String, defaultMaxMeetings: Int,
            defaultMaxBytes: Int, plan: String, lateMilliseconds: Int, scheduledAt: Int?, due: Int?, owner: String?,
            dedupMilliseconds: Int, leaseEnd: String?, occurrence: String?, entry: String?, fields: [String]
        ) {
            keys = [
                workspaceKey, meetingsKey, latestKey, meetingKey, eventsKey, heldKey, namesKey, plansKey, plannedKey,
                dedupKey, calendarKey, occurrencesKey, webhooksKey, outboxKey, operatorKey
            ] + Scripts.list(requestKey)
            arguments = [
                meetingID, String(number), String(maxEvents), why, String(requestMilliseconds), room, names, forgotten,
                String(defaultMaxMeetings), String(defaultMaxBytes), plan, String(lateMilliseconds),
                scheduledAt.map { String($0) } ?? "", due.map { String($0) } ?? "", owner ?? "",
                String(dedupMilliseconds), leaseEnd ?? "", occurrence ?? "", entry ?? ""
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
            case workspaceFull(limit: Int)
            /// It is too late for its time, or that is more than a year ahead.
            case oddTime
            /// Another meeting of the room is planned for the same time.
            case plannedAlready(meetingID: String)
            /// Another meeting has the deduplication key now.
            case lookAgain
            /// The calendar's lease is another's (any more).
            case notYours
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "created": return .created(createdAt: try reply.integer(1))
            case "repeated": return .repeated(meetingID: try reply.text(1))
            case "unknown_workspace": return .unknownWorkspace
            case "id_taken": return .idTaken
            case "too_many_meetings": return .tooManyMeetings(limit: try reply.integer(1))
            case "workspace_full": return .workspaceFull(limit: try reply.integer(1))
            case "odd_time": return .oddTime
            case "planned_already": return .plannedAlready(meetingID: try reply.text(1))
            case "look_again": return .lookAgain
            case "not_yours": return .notYours
            default: throw reply.unexpected
            }
        }
    }
}
