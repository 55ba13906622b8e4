import BotWire
import EventLoop
import JSON
import Log

/// Why a browser did not do what it was told.
enum BrowserError: Error, Equatable, CustomStringConvertible {
    /// It could not be started; whether it may be a moment later.
    case notStarted(String, mayPass: Bool)
    /// It ended, or is no longer listened to.
    case gone(String)
    case noAnswer(method: String)
    /// It refused a call, or a script failed.
    case refused(method: String, reason: String)

    var description: String {
        switch self {
        case .notStarted(let reason, _): "the browser could not be started: \(reason)"
        case .gone(let reason): "the browser is gone: \(reason)"
        case .noAnswer(let method): "the browser did not answer \(method) in time"
        case .refused(let method, let reason): "the browser refused \(method): \(reason)"
        }
    }
}

/// A browser that is told what to do by the Chrome DevTools Protocol over a pipe: nobody else on the machine can.
///
/// `@unchecked Sendable`: belongs to its loop's thread.
final class Browser: @unchecked Sendable {
    /// A parameter of a call.
    enum Parameter: Encodable {
        case text(String)
        case number(Double)
        case flag(Bool)

        func encode(to encoder: any Encoder) throws {
            var value = encoder.singleValueContainer()
            switch self {
            case .text(let text): try value.encode(text)
            case .number(let number): try value.encode(number)
            case .flag(let flag): try value.encode(flag)
            }
        }
    }

    /// Something that the browser tells unasked.
    struct Event {
        let method: String
        let document: JSONDocument
    }

    private struct Call {
        let method: String
        let session: String?
        let continuation: UnsafeContinuation<Result<JSONDocument, BrowserError>, Never>
        let timer: ScheduledTimer
    }

    /// How long a call may take: pages on a busy machine take seconds.
    static let patienceMilliseconds = 20_000
    private static let limits = JSONLimits(bytes: 8 << 20, levels: 64, values: 200_000)

    let loop: EventLoop
    private let process: BrowserProcess
    private let pipe: BrowserPipe
    private let logger: Logger
    private var calls: [Int: Call] = [:]
    private var lastCall = 0
    private var goneReason: String?

    var onEvent: ((Event) -> Void)?

    /// Its own folder, which goes with it.
    var folder: String { process.folder }

    /// Starts a browser. Its calls wait until it is there.
    /// - Throws: `notStarted`.
    init(loop: EventLoop, program: BrowserProgram, logger: Logger) throws(BrowserError) {
        self.loop = loop
        self.logger = logger
        do {
            process = try BrowserProcess(program)
            pipe = try BrowserPipe(loop: loop, input: process.input, output: process.output)
        } catch {
            throw .notStarted("\(error)", mayPass: (error as? SystemError)?.mayPass == true)
        }
        pipe.onMessage = { [unowned self] in take($0) }
        pipe.onClose = { [unowned self] in lose($0) }
    }

    /// Calls a method of the protocol.
    /// - Parameter session: of the page that it is for; nil: the browser as a whole.
    /// - Returns: the answer, whose member `result` is the method's own.
    @discardableResult
    func call(
        _ method: String, _ parameters: [String: Parameter] = [:], session: String? = nil,
        within milliseconds: Int = patienceMilliseconds
    ) async throws(BrowserError) -> JSONDocument {
        loop.preconditionCurrent()
        if let goneReason { throw .gone(goneReason) }
        lastCall += 1
        let id = lastCall
        let message = WireJSON.text(Message(id: id, method: method, params: parameters, sessionId: session))
        let result = await withUnsafeContinuation { continuation in
            let timer = loop.schedule(afterMilliseconds: milliseconds) { [weak self] in
                self?.complete(id, .failure(.noAnswer(method: method)))
            }
            calls[id] = Call(method: method, session: session, continuation: continuation, timer: timer)
            pipe.send(message)
        }
        return try result.get()
    }

    /// Answers all calls of a page that is no more.
    func giveUp(session: String, because reason: String) {
        for (id, call) in calls where call.session == session { complete(id, .failure(.gone(reason))) }
    }

    /// Asks it to end, kills what is left of it after two seconds, and removes what it kept.
    func end() async {
        _ = try? await call("Browser.close", within: 1_000)
        await process.end(on: loop)
        pipe.close()
        for id in calls.keys { complete(id, .failure(.gone("it was ended"))) }
    }

    // MARK: Messages

    private struct Message: Encodable {
        let id: Int
        let method: String
        let params: [String: Parameter]
        let sessionId: String?
    }

    private struct Head: Decodable {
        struct Fault: Decodable {
            let message: String
        }

        let id: Int?
        let method: String?
        let error: Fault?
    }

    private func take(_ message: [UInt8]) {
        guard let document = try? JSONDocument(message, limits: Self.limits), let head = try? document.decode(Head.self)
        else { return logger.warning("A message of the browser cannot be read", ["bytes": "\(message.count)"]) }
        if let id = head.id {
            let method = calls[id]?.method ?? ""
            complete(
                id, head.error.map { .failure(.refused(method: method, reason: $0.message)) } ?? .success(document))
        } else if let method = head.method {
            onEvent?(Event(method: method, document: document))
        }
    }

    private func complete(_ id: Int, _ result: Result<JSONDocument, BrowserError>) {
        guard let call = calls.removeValue(forKey: id) else { return }
        call.timer.cancel()
        call.continuation.resume(returning: result)
    }

    private func lose(_ reason: String) {
        let reason = [process.ending.map { "it \($0)" } ?? reason, process.complaint].compactMap(\.self)
            .joined(separator: "; ")
        goneReason = reason
        for id in calls.keys { complete(id, .failure(.gone(reason))) }
    }
}
