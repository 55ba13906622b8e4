import EventLoop
import TestTurns
import Testing

@testable import AttendingBot

/// With a browser that is none.
@Suite(.takesTurns) struct MeetingPageTests {
    /// A bot that is told to leave while it waits for the page to settle must not ask to be let in after that.
    @Test func onceItIsGivenUpItAsksNoMore() async throws {
        var fake = try FakeBrowser()
        // Told once that is answered, before the next call is made.
        fake.statements["focusName"] = "answer({'result': {'value': True}}); tell()"
        let hasAsked = try await Self.use(fake) { page in
            var hasAsked = true
            do { try await page.ask(as: "Usher") } catch { hasAsked = false }
            await page.leave(withinMilliseconds: 1_000)
            return hasAsked
        }
        #expect(!hasAsked && !fake.calls.contains { $0.contains("'join'") })
        #expect(fake.calls.count { $0.contains("mousePressed") } == 1, "on the button to leave")
    }

    /// How long it may load is said by who looks at it.
    @Test func aPageThatIsSlowToBeginIsLookedAtAllTheSame() async throws {
        var fake = try FakeBrowser()
        fake.statements["Page.navigate"] = "pass"
        let look = try await Self.use(fake) { page in
            try await page.open("http://slow.example/", within: 100)
            return try await page.look()
        }
        #expect(look == nil && fake.calls.contains { $0.hasPrefix("Page.navigate") })
    }

    @Test func anAddressThatLeadsNowhereIsNoPage() async throws {
        var fake = try FakeBrowser()
        fake.statements["Page.navigate"] = "answer({'errorText': 'net::ERR_NAME_NOT_RESOLVED'})"
        await #expect(throws: BrowserError.refused(method: "Page.navigate", reason: "net::ERR_NAME_NOT_RESOLVED")) {
            try await Self.use(fake) { page in try await page.open("http://nowhere.example/") }
        }
    }

    @Test(arguments: [("2000000000.25", 2e9 + 0.25), ("'now'", nil), ("-1", nil)] as [(String, Double?)])
    func whatThePagesClockSays(value: String, time: Double?) async throws {
        var fake = try FakeBrowser()
        fake.statements["timeOrigin"] = "answer({'result': {'value': \(value)}})"
        #expect(try await Self.use(fake) { page in await page.time() } == time)
    }

    /// The page is given up as soon as it tells something.
    private static func use<Outcome: Sendable>(
        _ fake: FakeBrowser, _ body: @escaping @Sendable (MeetingPage) async throws -> Outcome
    ) async throws -> Outcome {
        let loop = try EventLoop(name: "page")
        try loop.start()
        defer {
            loop.stop()
            loop.join()
        }
        return try await Task(executorPreference: loop) {
            let browser = try fake.start(on: loop)
            let holder = Holder()
            let page = try await MeetingPage(browser, Platform("page")) { _ in holder.page?.giveUp() }
            holder.page = page
            do {
                let outcome = try await body(page)
                await browser.end()
                return outcome
            } catch {
                await browser.end()
                throw error
            }
        }.value
    }

    private final class Holder {
        var page: MeetingPage?
    }
}
