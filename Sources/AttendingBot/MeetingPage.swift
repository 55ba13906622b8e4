import BotWire
import EventLoop

/// The page of a meeting, in the words of its platform's data. Belongs to its browser's loop.
final class MeetingPage {
    /// How often one thing is clicked away: pages show one dialog after the other.
    private static let maximumClicks = 6
    private static let settleMilliseconds = 150
    private static let timeMilliseconds = 2_000

    private let loop: EventLoop
    private let page: Page
    /// Nothing more is clicked on but the button to leave.
    private var isGivenUp = false

    /// - Parameter onSound: gets what is heard, as `capture.js` tells it; nil: nothing is listened to.
    init(
        _ browser: Browser, _ platform: Platform, onSound: ((String) -> Void)?
    ) async throws(BrowserError) {
        loop = browser.loop
        page = try await Page.take(
            from: browser, scripts: Scripts.all(platform, listening: onSound != nil),
            bindings: onSound == nil ? [] : [Scripts.hearing])
        page.onCall = { name, payload in if name == Scripts.hearing { onSound?(payload) } }
    }

    func open(
        _ address: String, within milliseconds: Int = Browser.patienceMilliseconds
    ) async throws(BrowserError) {
        try await page.open(address, within: milliseconds)
    }

    /// What the page is at; nil while it has no document yet.
    func look(within milliseconds: Int = Browser.patienceMilliseconds) async throws(BrowserError) -> Look? {
        try await page.evaluate("window.__usher ? window.__usher.look() : null", Look.self, within: milliseconds)
    }

    /// What the page's clock says, in seconds since 1970. It goes on evenly, also where the machine's is set meanwhile.
    /// - Returns: nil if the page does not tell.
    func time() async -> Double? {
        let seconds = try? await page.evaluate(
            "(performance.timeOrigin + performance.now()) / 1000", Double.self, within: Self.timeMilliseconds)
        guard let seconds, HeardSound.times.contains(seconds) else { return nil }
        return seconds
    }

    /// Waits for the page no longer: what it has not answered yet is given up, and so is what would follow on that.
    func giveUp() {
        isGivenUp = true
        page.giveUp()
    }

    /// Clicks one dialog away, if there is any.
    func dismiss() async throws(BrowserError) {
        _ = try await click("dismiss")
    }

    /// Does all that stands before the room: dialogs, name, microphone, camera, and the request to join. A page that is
    /// about to show something else has nothing to click on: the next look tells.
    func ask(as name: String) async throws(BrowserError) {
        try await clickAway("dismiss")
        try await clickAway("mute")
        try checkPatience()
        // Who is signed in is asked for no name.
        if try await page.evaluate("window.__usher?.focusName()", Bool.self) == true { try await page.type(name) }
        await loop.wait(milliseconds: Self.settleMilliseconds)
        _ = try await click("join")
    }

    /// Leaves by the page's own button, and waits until the page shows no room any more.
    func leave(withinMilliseconds milliseconds: Int) async {
        let deadline = MonotonicTime.now().advanced(byMilliseconds: milliseconds)
        do throws(BrowserError) {
            guard let place = try await find("leave", within: milliseconds) else { return }
            try await page.click(place, within: milliseconds)
            while MonotonicTime.now() < deadline {
                let left = deadline.milliseconds(since: .now())
                guard let look = try await look(within: left), [.room, .lobby].contains(look.sign) else { return }
                await loop.wait(milliseconds: 50)
            }
        } catch {
            // It leaves as the browser ends.
        }
    }

    /// What a person would see of the page, shortened.
    func outline(within milliseconds: Int) async throws(BrowserError) -> String {
        let text = try await page.evaluate(
            "window.__usher ? window.__usher.outline() : null", String.self, within: milliseconds)
        return (text ?? "nothing that can be read").shortened(toBytes: 600)
    }

    func screenshot(within milliseconds: Int) async throws(BrowserError) -> [UInt8] {
        try await page.screenshot(within: milliseconds)
    }

    private func clickAway(_ step: String) async throws(BrowserError) {
        for _ in 0..<Self.maximumClicks {
            guard try await click(step) else { return }
            await loop.wait(milliseconds: Self.settleMilliseconds)
        }
    }

    /// - Returns: false if the page has nothing for the step.
    private func click(_ step: String) async throws(BrowserError) -> Bool {
        try checkPatience()
        guard let place = try await find(step, within: Browser.patienceMilliseconds) else { return false }
        try checkPatience()
        try await page.click(place, within: Browser.patienceMilliseconds)
        return true
    }

    /// Where the page has something for the step; nil if nowhere.
    private func find(_ step: String, within milliseconds: Int) async throws(BrowserError) -> Page.Point? {
        try await page.evaluate(
            "window.__usher ? window.__usher.find('\(step)') : null", Page.Point.self, within: milliseconds)
    }

    private func checkPatience() throws(BrowserError) {
        if isGivenUp { throw .gone("it is waited for no longer") }
    }
}

/// The scripts that run in the page.
enum Scripts {
    /// The function by which the page tells what it hears.
    static let hearing = "usherHears"

    static func all(_ platform: Platform, listening: Bool) -> [String] {
        let scripts = [PackageResources.observe_js] + (listening ? [PackageResources.capture_js] : [])
        return scripts.map {
            "{ const usherPlatform = \(platform.json); \(String(decoding: $0, as: UTF8.self)) }"
        }
    }
}
