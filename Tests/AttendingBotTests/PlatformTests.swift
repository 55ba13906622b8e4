import BotWire
import Foundation
import TestTurns
import Testing

@testable import AttendingBot

@Suite(.takesTurns) struct PlatformTests {
    private static func configuration(_ id: String) throws -> BotConfiguration {
        try BotConfiguration(
            json: "{\"platform\":\"google_meet\",\"meetingUrl\":\"https://meet.google.com/abc\",\"botName\":\"b\","
                + "\"redisUrl\":\"redis://r\",\"nativeMeetingId\":\"\(id)\"}")
    }

    @Test(arguments: ["google_meet", "teams", "page"]) func theBuiltInDataCanBeUsed(name: String) throws {
        #expect(try Platform(name).name == name)
    }

    @Test func whereAMeetingIs() throws {
        let configuration = try Self.configuration("abc-defg-hij")
        #expect(try Platform("google_meet").address(of: configuration, lab: nil) == "https://meet.google.com/abc")
        #expect(
            try Platform("page").address(of: configuration, lab: "http://127.0.0.1:8090")
                == "http://127.0.0.1:8090/m/abc-defg-hij")
        #expect(
            try Platform("page").address(of: Self.configuration("../../?x"), lab: "http://lab")
                == "http://lab/m/..%2F..%2F%3Fx")
    }

    @Test(arguments: [
        ("https://teams.live.com/meet/93", "https://teams.live.com/meet/93?p=a%26b"),
        ("https://teams.live.com/meet/93?anon=1", "https://teams.live.com/meet/93?anon=1&p=a%26b"),
        ("https://teams.live.com/meet/93?p=own", "https://teams.live.com/meet/93?p=own"),
        ("https://teams.microsoft.com/l/meetup-join/19%3a", "https://teams.microsoft.com/l/meetup-join/19%3a"),
    ]) func aLinkOfTeamsGetsThePasscodeThatItLacks(link: String, address: String) throws {
        let configuration = try BotConfiguration(
            json: "{\"platform\":\"teams\",\"meetingUrl\":\"\(link)\",\"botName\":\"b\",\"redisUrl\":\"redis://r\","
                + "\"passcode\":\"a&b\"}")
        #expect(try Platform("teams").address(of: configuration, lab: nil) == address)
    }

    @Test func aFolderGoesBeforeTheBuiltInData() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let own = try Platform("page").json.replacingOccurrences(of: "{lab}/m/{id}", with: "http://else/{id}")
        try Data(own.utf8).write(to: folder.appendingPathComponent("google_meet.json"))
        let platform = try Platform("google_meet", folder: folder.path)
        #expect(try platform.address(of: Self.configuration("x"), lab: nil) == "http://else/x")
        #expect(throws: Never.self) { try Platform("teams", folder: folder.path) }
    }

    @Test func aPlatformWithoutDataIsToldOf() {
        #expect(throws: Platform.Invalid(description: "There is no data on how to attend meetings of zoom.")) {
            try Platform("zoom")
        }
    }

    @Test(arguments: [
        ("", "is not JSON"), ("[]", "cannot be used"), ("{\"source\":\"s\"}", "address is missing"),
        ("{\"source\":\"s\",\"address\":5}", "address is missing or of the wrong type"),
    ])
    func dataThatCannotBeUsedIsToldOf(json: String, fault: String) {
        do throws(Platform.Invalid) {
            _ = try Platform(bytes: Array(json.utf8), name: "page", file: "page.json")
            Issue.record("it was taken")
        } catch {
            #expect(error.description.contains(fault) && error.description.hasPrefix("page.json"), "\(error)")
        }
    }
}
