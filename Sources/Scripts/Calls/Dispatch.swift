// Made by `make scripts` from the header of lua/dispatch.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Accepts the dispatch of a bot to a meeting, as the re-invite endpoint asks for it: everything at once, or nothing.
    /// docs/architecture.md, "A meeting's state": "dispatch accepted" and "restarted". The lock is given back whatever the
    /// result, unless it is another's. A repeated call finds the in-flight key and changes nothing.
    public struct Dispatch: ScriptCall {
        public static let script = load("dispatch", PackageResources.dispatch_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes("accepted")
        public let keys: [String]
        public let arguments: [String]

        public init(
            lockKey: String, inflightKey: String, roomKey: String, botsKey: String, meetingKey: String, botKey: String,
            dispatchKey: String, eventsKey: String, webhooksKey: String, outboxKey: String, operatorKey: String,
            feedKey: String, feedsKey: String, requestKey: String? = nil, token: String, seen: String,
            meetingID: String, workspaceID: String, room: String, botID: String, inflightMilliseconds: Int,
            maxEvents: Int, why: String, traceparent: String, tracestate: String?
        ) {
            keys = [
                lockKey, inflightKey, roomKey, botsKey, meetingKey, botKey, dispatchKey, eventsKey, webhooksKey,
                outboxKey, operatorKey, feedKey, feedsKey
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
            case notYours
            /// A dispatch to the room is in flight; the meeting that holds the room.
            case inFlight(holder: String?)
            /// The status is no longer the one that was seen.
            case statusChanged(status: String?)
            /// A bot of this meeting holds the room, and no dispatch is in flight.
            case roomHeld(holder: String)
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "accepted": return .accepted(dispatchedAt: try reply.integer(1), epoch: try reply.integer(2))
            case "repeated": return .repeated(what: try reply.text(1))
            case "not_yours": return .notYours
            case "in_flight": return .inFlight(holder: try reply.optionalText(1))
            case "status_changed": return .statusChanged(status: try reply.optionalText(1))
            case "room_held": return .roomHeld(holder: try reply.text(1))
            default: throw reply.unexpected
            }
        }
    }
}
