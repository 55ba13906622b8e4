import HTTP
import Usher

/// `GET /bots/id/{number}/screenshot`: what a bot saw when it needed help or failed. It may show what others say and
/// their names, so that it takes a manager.
enum ScreenshotEndpoint {
    private static let noScreenshot = DescribedError(
        APIError(
            404, title: "Screenshot not found",
            "There is no picture of this meeting's page. Bots that attend send one when they need help or fail."),
        "There is no such picture, or newer ones of the workspace have taken its place.")

    static let leastRole = Role.manager

    static let get = Endpoint(
        .get, "/bots/id/{number}/screenshot", id: "getScreenshot", .bots(leastRole),
        summary: "See what a bot saw",
        details: """
            The picture of the meeting's page that its bot sent when it last needed help or failed: a JPEG, or a PNG. The \
            last 20 of a workspace are kept. `data.page_outline` of the meeting says in words what was on the page.
            """,
        takes: BotsMeetingEndpoints.number,
        answers: [Answer(status: 200, meaning: "The picture.", content: .other(type: "image/jpeg"))],
        errors: [.unknownBotMeeting, noScreenshot]
    ) { call, number in
        let meeting = try await BotsMeetingEndpoints.meeting(number, call)
        guard let screenshot = try await call.session.bots.screenshot(of: meeting) else {
            throw noScreenshot.error
        }
        return Response(status: 200, contentType: screenshot.kind.rawValue, body: screenshot.bytes)
    }
}
