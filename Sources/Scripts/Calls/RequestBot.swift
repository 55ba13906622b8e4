// Made by `make scripts` from the header of lua/request_bot.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Accepts a bot as the Bots API asks for it (POST /bots): limit, room, record, in-flight key and stream entry, at once
    /// or not at all. docs/architecture.md, "A meeting's state": "created" (for a new record) and "dispatch accepted".
    public struct RequestBot: ScriptCall {
        public static let script = load("request_bot", PackageResources.request_bot_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes("accepted")
        public let keys: [String]
        public let arguments: [String]

        public init(
            workspaceKey: String, inflightKey: String, roomKey: String, botsKey: String, meetingKey: String,
            botKey: String, dispatchKey: String, eventsKey: String, latestKey: String, meetingsKey: String,
            namesKey: String, otherKey: String, anotherKey: String, webhooksKey: String, outboxKey: String,
            operatorKey: String, feedKey: String, feedsKey: String, dedupKey: String, requestKey: String? = nil,
            meetingID: String, number: Int?, workspaceID: String, room: String, botID: String,
            inflightMilliseconds: Int, maxEvents: Int, why: String, defaultMaxBots: Int, latest: String?,
            traceparent: String, tracestate: String?, names: String, forgotten: String, defaultMaxMeetings: Int,
            defaultMaxBytes: Int, owner: String?, dedupMilliseconds: Int, fields: [String]
        ) {
            keys = [
                workspaceKey, inflightKey, roomKey, botsKey, meetingKey, botKey, dispatchKey, eventsKey, latestKey,
                meetingsKey, namesKey, otherKey, anotherKey, webhooksKey, outboxKey, operatorKey, feedKey, feedsKey,
                dedupKey
            ] + Scripts.list(requestKey)
            arguments = [
                meetingID, number.map { String($0) } ?? "", workspaceID, room, botID, String(inflightMilliseconds),
                String(maxEvents), why, String(defaultMaxBots), latest ?? "", traceparent, tracestate ?? "", names,
                forgotten, String(defaultMaxMeetings), String(defaultMaxBytes), owner ?? "", String(dedupMilliseconds)
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
            /// What was seen of the room, or the key, has changed.
            case lookAgain
            /// A bot of this meeting holds the room, and no dispatch is in flight.
            case roomHeld(holder: String)
            /// The workspace's bots have reached their limit.
            case tooManyBots(limit: Int)
            /// The workspace has as many meetings as it may have.
            case tooManyMeetings(limit: Int)
            /// Its meetings would take more bytes than they may.
            case workspaceFull(limit: Int)
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "accepted": return .accepted(meeting: try reply.hash(1))
            case "repeated": return .repeated(meetingID: try reply.text(1))
            case "unknown_workspace": return .unknownWorkspace
            case "in_flight": return .inFlight(holder: try reply.optionalText(1))
            case "look_again": return .lookAgain
            case "room_held": return .roomHeld(holder: try reply.text(1))
            case "too_many_bots": return .tooManyBots(limit: try reply.integer(1))
            case "too_many_meetings": return .tooManyMeetings(limit: try reply.integer(1))
            case "workspace_full": return .workspaceFull(limit: try reply.integer(1))
            default: throw reply.unexpected
            }
        }
    }
}
