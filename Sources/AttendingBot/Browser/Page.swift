import BotWire
import EventLoop
import FoundationEssentials
import JSON

/// One page of a browser, by a flat session of the protocol. Belongs to the thread of the browser's loop.
///
/// `@unchecked Sendable`: touched on that thread alone.
final class Page: @unchecked Sendable {
    private static let attachMilliseconds = 20_000
    private static let crashed = "its page has crashed"

    private let browser: Browser
    private let target: String
    private let session: String
    private(set) var hasCrashed = false

    /// Called with what the page's scripts tell, by the name of the binding.
    var onCall: ((_ name: String, _ payload: String) -> Void)?

    /// Takes the page that a browser has opened.
    /// - Parameters:
    ///   - scripts: run in every document before any of its own.
    ///   - bindings: the functions by which these scripts tell something.
    static func take(
        from browser: Browser, scripts: [String], bindings: [String]
    ) async throws(BrowserError) -> Page {
        let (target, session) = try await attach(browser)
        let page = Page(browser, target: target, session: session)
        browser.onEvent = { [weak page] in page?.take($0) }
        for domain in ["Page", "Runtime"] { try await page.call("\(domain).enable") }
        // Tells of the page's crash.
        try await browser.call("Target.setDiscoverTargets", ["discover": .flag(true)])
        // A page has nothing to give us but itself.
        try await browser.call("Browser.setDownloadBehavior", ["behavior": .text("deny")])
        for binding in bindings { try await page.call("Runtime.addBinding", ["name": .text(binding)]) }
        for script in scripts {
            try await page.call("Page.addScriptToEvaluateOnNewDocument", ["source": .text(script)])
        }
        return page
    }

    private init(_ browser: Browser, target: String, session: String) {
        self.browser = browser
        self.target = target
        self.session = session
    }

    /// Waits for the browser's first page, and attaches to it.
    private static func attach(_ browser: Browser) async throws(BrowserError) -> (target: String, session: String) {
        let deadline = MonotonicTime.now().advanced(byMilliseconds: attachMilliseconds)
        while MonotonicTime.now() < deadline {
            let targets = try await browser.call("Target.getTargets").result(Targets.self, of: "Target.getTargets")
            if let page = targets.targetInfos.first(where: { $0.type == "page" }) {
                let attached = try await browser.call(
                    "Target.attachToTarget", ["targetId": .text(page.targetId), "flatten": .flag(true)]
                ).result(Attached.self, of: "Target.attachToTarget")
                return (page.targetId, attached.sessionId)
            }
            await browser.loop.wait(milliseconds: 20)
        }
        throw .noAnswer(method: "Target.getTargets")
    }

    // MARK: What one does with a page

    /// Begins to load an address. What comes of it the page tells, also where that takes longer than a call may.
    func open(
        _ url: String, within milliseconds: Int = Browser.patienceMilliseconds
    ) async throws(BrowserError) {
        let method = "Page.navigate"
        let reply: Navigated
        do throws(BrowserError) {
            reply = try await call(method, ["url": .text(url)], within: milliseconds).result(Navigated.self, of: method)
        } catch .noAnswer {
            return
        } catch {
            throw error
        }
        if let error = reply.errorText, error != "net::ERR_ABORTED" {
            throw .refused(method: method, reason: String(error.prefix(100)))
        }
    }

    /// The value of an expression of JavaScript.
    func evaluate<Value: Decodable>(
        _ expression: String, _ type: Value.Type, within milliseconds: Int = Browser.patienceMilliseconds
    ) async throws(BrowserError) -> Value? {
        let method = "Runtime.evaluate"
        let reply = try await call(
            method, ["expression": .text(expression), "returnByValue": .flag(true)], within: milliseconds
        ).result(Evaluated<Value>.self, of: method)
        if let failure = reply.exceptionDetails {
            let text = failure.exception?.description ?? failure.text
            throw .refused(method: method, reason: text.shortened(toBytes: 200))
        }
        return reply.result.value
    }

    /// Presses and lets go of the mouse at a point, in pixels of the window.
    func click(_ point: Point, within milliseconds: Int) async throws(BrowserError) {
        for event in ["mousePressed", "mouseReleased"] {
            try await call(
                "Input.dispatchMouseEvent",
                [
                    "type": .text(event), "x": .number(point.x), "y": .number(point.y), "button": .text("left"),
                    "clickCount": .number(1),
                ], within: milliseconds)
        }
    }

    /// Types into what has the cursor.
    func type(_ text: String) async throws(BrowserError) {
        try await call("Input.insertText", ["text": .text(text)])
    }

    /// What the page looks like, as PNG.
    func screenshot(within milliseconds: Int) async throws(BrowserError) -> [UInt8] {
        let method = "Page.captureScreenshot"
        let reply = try await call(method, ["format": .text("jpeg"), "quality": .number(50)], within: milliseconds)
            .result(
                Screenshot.self, of: method)
        guard let data = Data(base64Encoded: reply.data) else {
            throw .refused(method: method, reason: "what it sent is no Base64")
        }
        return Array(data)
    }

    @discardableResult
    private func call(
        _ method: String, _ parameters: [String: Browser.Parameter] = [:],
        within milliseconds: Int = Browser.patienceMilliseconds
    ) async throws(BrowserError) -> JSONDocument {
        if hasCrashed { throw .gone(Self.crashed) }
        return try await browser.call(method, parameters, session: session, within: milliseconds)
    }

    /// Answers what waits for it.
    func giveUp() {
        browser.giveUp(session: session, because: "it is waited for no longer")
    }

    // MARK: Events

    private func take(_ event: Browser.Event) {
        switch event.method {
        case "Runtime.bindingCalled":
            guard let call = try? event.document.decode(Told<Binding>.self).params else { return }
            onCall?(call.name, call.payload)
        case "Target.targetCrashed":
            guard let crash = try? event.document.decode(Told<Crash>.self).params else { return }
            guard crash.targetId == target else { return }
            hasCrashed = true
            browser.giveUp(session: session, because: Self.crashed)
        case "Page.javascriptDialogOpening":
            // Until it is answered, the page stands still.
            Task(executorPreference: browser.loop) { [self] in
                _ = try? await call("Page.handleJavaScriptDialog", ["accept": .flag(true)])
            }
        default: break
        }
    }

    struct Point: Decodable, Equatable {
        let x, y: Double
    }

    private struct Told<Parameters: Decodable>: Decodable {
        let params: Parameters
    }
    private struct Binding: Decodable {
        let name, payload: String
    }
    private struct Crash: Decodable {
        let targetId: String
    }
    private struct Targets: Decodable {
        struct Target: Decodable {
            let targetId, type: String
        }
        let targetInfos: [Target]
    }
    private struct Attached: Decodable {
        let sessionId: String
    }
    private struct Navigated: Decodable {
        let errorText: String?
    }
    private struct Screenshot: Decodable {
        let data: String
    }
    private struct Evaluated<Value: Decodable>: Decodable {
        struct Remote: Decodable {
            let value: Value?
        }
        struct Failure: Decodable {
            struct Exception: Decodable {
                let description: String?
            }
            let text: String
            let exception: Exception?
        }
        let result: Remote
        let exceptionDetails: Failure?
    }
}

private struct Reply<Result: Decodable>: Decodable {
    let result: Result
}

extension JSONDocument {
    /// The result of a call.
    /// - Throws: `refused` if the browser answered with something else.
    fileprivate func result<Result: Decodable>(
        _ type: Result.Type, of method: String
    ) throws(BrowserError) -> Result {
        do {
            return try decode(Reply<Result>.self).result
        } catch {
            throw .refused(method: method, reason: "its answer cannot be used")
        }
    }
}
