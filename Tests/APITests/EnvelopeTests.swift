import Foundation
import Redis
import TestTurns
import Testing
import Usher

@testable import API

@Suite(.takesTurns) struct EnvelopeTests {
    private static let meeting = "2b342a6e177d4b139638bc16bd312291"
    private static let other = "00000000000000000000000000000000"
    private static let workspace = "3fa85f64-5717-4562-b3fc-2c963f66afa6"

    private struct Row {
        let refusal: ReinviteRefusal
        let status: Int
        let code: Int
        /// What the detail must tell, in the document's sense.
        let says: [String]
        var parameters = ["meeting_id": meeting]
    }

    private static let inTheRoom = ["meeting_id": meeting, "room_meeting_id": other]

    /// "Error Responses" of the document, and what stands beside it.
    private static let table = [
        Row(refusal: .unknownMeeting, status: 404, code: 12100, says: ["No meeting", meeting]),
        Row(
            refusal: .otherWorkspace, status: 400, code: 12101, says: ["does not belong", meeting, workspace],
            parameters: ["meeting_id": meeting, "workspace_id": workspace]),
        Row(refusal: .notGoogleMeet(.teams), status: 400, code: 12102, says: ["not a Google Meet", "MS Teams"]),
        Row(refusal: .notGoogleMeet(.zoom), status: 400, code: 12102, says: ["not a Google Meet", "Zoom"]),
        Row(refusal: .live(holder: nil), status: 409, code: 12103, says: ["LIVE", "already in the room", "No action"]),
        Row(
            refusal: .live(holder: other), status: 409, code: 12103, says: ["LIVE", other, "No action"],
            parameters: inTheRoom),
        Row(refusal: .restartWhileLive, status: 409, code: 12104, says: ["LIVE", "Stop it first", "OFFLINE"]),
        Row(
            refusal: .stopping(status: .stopping, holder: nil), status: 409, code: 12105,
            says: ["STOPPING", "Wait", "OFFLINE", "force_restart=true"]),
        Row(
            refusal: .stopping(status: .analyzing, holder: other), status: 409, code: 12105,
            says: ["ANALYZING", other, "Wait"], parameters: inTheRoom),
        Row(
            refusal: .offline, status: 409, code: 12106,
            says: ["Meeting \(meeting) is OFFLINE. Pass force_restart=true to restart"]),
        Row(refusal: .inFlight(holder: nil), status: 409, code: 12107, says: ["in flight", "≤10 minutes", meeting]),
        Row(
            refusal: .inFlight(holder: other), status: 409, code: 12107, says: ["in flight", other],
            parameters: inTheRoom),
        Row(refusal: .locked, status: 503, code: 12108, says: ["lock", "Retry in a few seconds"]),
        Row(refusal: .failed(.connectionLost), status: 500, code: 12109, says: ["Safe to retry", "runs the service"]),
        Row(refusal: .statusChanged, status: 409, code: 12110, says: ["changed", "Fetch the latest", "retry"]),
        Row(
            refusal: .unexpectedStatus("PAUSED"), status: 409, code: 12111,
            says: ["PAUSED", "whoever runs the service"]),
        Row(
            refusal: .roleTooLow, status: 403, code: 403, says: ["owner or a manager"],
            parameters: ["workspace_id": workspace]),
        Row(refusal: .unavailable(.notConnected), status: 503, code: 503, says: ["retry"]),
    ]

    static let refusals = table.map(\.refusal)

    @Test func everyRefusalIsAnsweredAsTheDocumentSays() throws {
        for row in Self.table {
            let error = APIError(row.refusal, meetingID: Self.meeting, workspaceID: Self.workspace)
            let json = try #require(
                try JSONSerialization.jsonObject(with: Data(error.body(.reinvite))) as? [String: Any])
            #expect(Set(json.keys) == ["detail", "code", "parameters"])
            #expect(error.response(.reinvite).status.code == row.status && json["code"] as? Int == row.code)
            let detail = try #require(json["detail"] as? String)
            for words in row.says { #expect(detail.contains(words), "\(row.code): \(detail)") }
            #expect(json["parameters"] as? [String: String] == row.parameters, "\(row.code)")
            let retryAfter = error.response(.reinvite).headers.first { $0.name == "Retry-After" }?.value
            #expect((retryAfter != nil) == (row.status == 503))
        }
        let codes = Set(Self.table.map(\.code)).subtracting([403, 503])
        #expect(codes == Set(12100...12111))
    }

    @Test func theDocumentsExampleIsToTheLetter() throws {
        let error = APIError(ReinviteRefusal.offline, meetingID: Self.meeting, workspaceID: Self.workspace)
        let expected =
            "{\"detail\":\"Meeting \(Self.meeting) is OFFLINE. Pass force_restart=true to restart\",\"code\":12106,"
            + "\"parameters\":{\"meeting_id\":\"\(Self.meeting)\"}}"
        #expect(String(decoding: error.body(.reinvite), as: UTF8.self) == expected)
    }

    @Test(arguments: [
        "\"", "\\", "\",\"code\":1,\"x\":\"", "\u{0}\u{1}\u{8}\u{c}\u{1f}\u{7f}", "\n\r\t", "</script>",
        "\u{2028}\u{2029}",
        "\u{1f916}\u{202e}", "\u{fffd}\u{feff}", "{}[]", "%s%n", String(repeating: "x", count: 8_000),
    ])
    func hostileTextStaysWithinItsString(_ text: String) throws {
        let error = APIError(404, text, parameters: [text: text])
        let json = try #require(try JSONSerialization.jsonObject(with: Data(error.body(.reinvite))) as? [String: Any])
        #expect(json["detail"] as? String == text && json["code"] as? Int == 404)
        #expect(json["parameters"] as? [String: String] == [text: text])
        for refusal in Self.table.map(\.refusal) + [.unexpectedStatus(text)] {
            let error = APIError(refusal, meetingID: text, workspaceID: text)
            #expect((try? JSONSerialization.jsonObject(with: Data(error.body(.reinvite)))) != nil)
        }
    }

    /// Whether the caller may simply try again depends on whether something may have been changed.
    @Test func failuresOfRedisTellWhetherARetryIsSafe() {
        for error in [RedisError.notConnected, .overloaded] {
            #expect(APIError(error).status == 503 && APIError(error).retryAfterSeconds != nil)
        }
        for error in [RedisError.connectionLost, .deadlinePassed, .refused("ERR x"), .unexpectedReply("nil")] {
            #expect(APIError(error).status == 500)
            #expect(APIError(error, isRead: true).status == 503)
        }
        // These are said before anything is done.
        for word in [
            "ASK", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "MOVED", "NOREPLICAS", "READONLY", "TRYAGAIN",
        ] {
            let refusal = APIError(RedisError.refused("\(word) x"))
            #expect(refusal.status == 503 && refusal.retryAfterSeconds == 2)
        }
        #expect(APIError(RedisError.refused("ERR READONLY")).status == 500)
        let full = APIError(RedisError.refused("OOM x"))
        #expect(full.status == 503 && full.retryAfterSeconds == 60)
        #expect(!String(decoding: full.body(.reinvite), as: UTF8.self).contains("OOM"))
    }

    private static let administrativeTable: [(refusal: AdministrationRefusal, status: Int)] = [
        (.invalid(field: "email", problem: "must be one"), 422), (.unknownUser(7), 404),
        (.unknownWorkspace("w"), 404), (.unknownMember(user: 7, workspace: "w"), 404), (.unknownKey("k"), 404),
        (.lastOwner(workspace: "w"), 409), (.failed(.notConnected), 503), (.failed(.connectionLost), 500),
    ]
    static let administrativeRefusals = administrativeTable.map(\.refusal)

    @Test func administrativeRefusalsHaveTheirStatus() {
        for (refusal, status) in Self.administrativeTable {
            let error = APIError(refusal)
            #expect(error.status.code == status && error.code == status)
            #expect(!error.detail.isEmpty && AdminAnswer.detail(of: refusal).isEmpty == false)
        }
    }
}
