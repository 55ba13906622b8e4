import JSON
import Log
import Usher

/// What a client of `GET /ws` asks for.
enum LiveRequest {
    case ping
    case subscribe([(name: Name, after: FeedCursor?)])
    case unsubscribe([Name])

    /// What a client calls a meeting.
    struct Name: Hashable {
        let platform: String
        let nativeID: String

        var json: String {
            "{\"platform\":\"\(platform.jsonEscaped)\",\"native_id\":\"\(nativeID.jsonEscaped)\"}"
        }
    }

    struct Refusal: Error {
        let code: String
        let details: String
    }

    /// Meetings that one request may name.
    private static let maximumMeetings = LiveSocket.maximumSubscriptions
    private static let maximumNameBytes = 256
    private static let limits = JSONLimits(values: 2_000, mendsTexts: false)
}

extension LiveRequest {
    static func read(_ text: [UInt8]) throws(Refusal) -> LiveRequest {
        let whole: JSONFragment
        do {
            whole = JSONFragment(try JSONDocument(text, limits: limits))
        } catch {
            throw Refusal(code: "invalid_json", details: "\(error.member ?? "the message") \(error.problem)")
        }
        guard whole.isObject else { throw Refusal(code: "invalid_json", details: "must be a JSON object") }
        switch whole.member("action")?.text {
        case "ping": return .ping
        case "subscribe":
            let code = "invalid_subscribe_payload"
            let shared = try cursor(whole, code)
            let wanted = try meetings(whole, code) { element throws(Refusal) in try cursor(element, code) }
            guard shared == nil || wanted.count == 1 else {
                throw Refusal(code: code, details: "after is of one meeting: put it beside the meeting's native_id")
            }
            return .subscribe(wanted.map { ($0.name, $0.after ?? shared) })
        case "unsubscribe":
            return .unsubscribe(try meetings(whole, "invalid_unsubscribe_payload") { _ in nil }.map(\.name))
        case let action:
            throw Refusal(code: "unknown_action", details: action ?? "action must be subscribe, unsubscribe or ping")
        }
    }

    private static func meetings(
        _ whole: JSONFragment, _ code: String, _ cursor: (JSONFragment) throws(Refusal) -> FeedCursor?
    ) throws(Refusal) -> [(name: Name, after: FeedCursor?)] {
        guard let list = whole.member("meetings")?.elements, (1...maximumMeetings).contains(list.count) else {
            throw Refusal(code: code, details: "meetings must be a list of 1 to \(maximumMeetings) objects")
        }
        var names: [(name: Name, after: FeedCursor?)] = []
        for element in list {
            let nativeID = element.member("native_id") ?? element.member("native_meeting_id")
            guard let platform = element.member("platform")?.text, let nativeID = nativeID?.text,
                platform.utf8.count <= maximumNameBytes, (1...maximumNameBytes).contains(nativeID.utf8.count)
            else { throw Refusal(code: code, details: "each meeting must have platform and native_id") }
            names.append((Name(platform: platform, nativeID: nativeID), try cursor(element)))
        }
        return names
    }

    private static func cursor(_ object: JSONFragment, _ code: String) throws(Refusal) -> FeedCursor? {
        guard let member = object.member("after"), !member.isNull else { return nil }
        guard let cursor = member.text.flatMap({ FeedCursor($0) }) else {
            throw Refusal(code: code, details: "after must be a cursor that a message has named")
        }
        return cursor
    }
}
