import EventLoop
import HTTP
import Log
import TestTurns
import Testing

@testable import API

@Suite(.takesTurns) struct RequestCountersTests {
    /// What a server has counted, as `method route status code count`.
    private func counted(_ requests: [(method: String, path: String)]) async throws -> [String] {
        try await TestNode.with { node in
            for (method, path) in requests { _ = try node.request(method, path) }
            return await node.counted
        }
    }

    @Test func answersAreCountedByRouteStatusAndCode() async throws {
        let route = "/api/v1/public/meeting/{workspace_id}/meetings"
        let counted = try await counted([
            ("GET", "/healthz"), ("GET", "/healthz"), ("HEAD", "/healthz"),
            ("GET", "/api/v1/public/meeting/a/meetings"), ("GET", "/api/v1/public/meeting/b/meetings"),
        ])
        #expect(counted == ["GET \(route) 401 401 2", "GET /healthz 200 200 3"])
    }

    @Test func theCodeIsTheOneOfTheAPI() async throws {
        try await TestNode.with { node in
            let workspace = try node.makeWorkspace()
            let meeting = try workspace.makeMeeting()
            for expected in [202, 409, 409] { #expect(try workspace.reinvite(meeting).status == expected) }
            let route = "POST \(Routes.reinvite)"
            let counted = await node.counted.filter { $0.hasPrefix(route) }
            #expect(counted == ["\(route) 202 202 1", "\(route) 409 12107 2"])
        }
    }

    @Test func nothingThatAClientChoosesIsKept() async throws {
        let odd = (0..<50).map { ("ODD\($0)", "/nowhere/\($0)") }
        let known = (0..<50).map { ("GET", "/else/\($0)?a=\($0)") }
        let counted = try await counted(odd + known + [("DELETE", "/healthz"), ("OPTIONS", "/healthz")])
        #expect(
            counted == [
                "GET unmatched 404 404 50", "DELETE unmatched 405 405 1", "OPTIONS unmatched 204 204 1",
                "other unmatched 404 404 50",
            ])
    }
}
