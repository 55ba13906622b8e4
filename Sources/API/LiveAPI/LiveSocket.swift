import EventLoop
import HTTP
import JSON
import Log
import Redis
import Usher

/// One client of `GET /ws`: finds out who it is, does what it asks, and tells it what changes.
///
/// `@unchecked Sendable`: belongs to the thread of its loop.
final class LiveSocket: @unchecked Sendable {
    static let maximumSubscriptions = 100
    private static let timeoutMilliseconds = 5_000

    private let socket: WebSocket
    private let request: Request
    private let services: Services
    private let live: LiveServices
    private var loop: EventLoop { services.store.client.loop }
    private var statuses: FeedViewer?
    private var subscriptions: [String: Subscription] = [:]

    private struct Subscription {
        let viewer: FeedViewer
        /// What the client calls the meeting.
        var names: [LiveRequest.Name]
    }

    init(_ socket: WebSocket, _ request: Request, _ services: Services, _ live: LiveServices) {
        self.socket = socket
        self.request = request
        self.services = services
        self.live = live
    }

    private var session: Session { services.store.session(milliseconds: Self.timeoutMilliseconds) }

    /// Runs until the socket is closed.
    func serve() async {
        socket.onClose = { [self] in end() }
        guard !socket.isClosed, let right = await recognise(), !socket.isClosed else { return end() }
        Task(executorPreference: loop) { [self] in
            while !socket.isClosed {
                await loop.wait(milliseconds: LiveRight.checkMilliseconds)
                if !socket.isClosed, await !right.isGood() {
                    refuse("invalid_api_key", 4401, "the API key is not valid any more")
                }
            }
        }
        while let message = await socket.next() {
            switch message {
            case .binary: socket.close(WebSocketClosure(1003, "text alone is understood"))
            case .text(let text): await take(text, right)
            }
            // However many came at once: others have their turns between them.
            await loop.nextTurn()
        }
        end()
    }

    private func end() {
        if socket.closedAsSlow { live.budget.noteSlow() }
        statuses?.end()
        for subscription in subscriptions.values { subscription.viewer.end() }
        (statuses, subscriptions) = (nil, [:])
    }

    // MARK: Who it is

    /// - Returns: nil if it may not be served, and has been told.
    private func recognise() async -> LiveRight? {
        guard Authentication.hasKey(request) else {
            _ = services.gatekeeper.refuse(request, with: .unauthorized)
            refuse("missing_api_key", 4401, "send an API key")
            return nil
        }
        do {
            let caller = try await services.authentication.follower(of: request, in: session)
            guard let hold = live.budget.hold(caller, from: services.gatekeeper.address(of: request)) else {
                refuse("too_many_sockets", 4429, "too many live feeds are open with this key, or from this address")
                return nil
            }
            socket.hold = hold
            socket.share(in: live.unsent, of: caller.feedClient)
            let tell: (FeedMessage) -> Void = { [weak self] in self?.tellStatus($0) }
            statuses = try await live.hub.followAll(
                workspace: caller.workspaceID, statusesOnly: true, after: nil, in: session,
                hasRoom: { true }, tell)
            return LiveRight(caller: caller, store: services.store)
        } catch let error as APIError {
            switch error.status.code {
            case 401: refuse("invalid_api_key", 4401, "the API key is not valid")
            case 403: refuse("forbidden", 4403, "this API key may not read transcripts")
            case 429: refuse("rate_limited", 4429, "too many requests: wait, and try again")
            default: refuse("auth_unavailable", 4503, "the API key cannot be checked: try again")
            }
        } catch {
            refuse("auth_unavailable", 4503, "the API key cannot be checked: try again")
        }
        return nil
    }

    private func refuse(_ error: String, _ code: Int, _ reason: String) {
        send(error: error)
        socket.close(WebSocketClosure(code, reason))
    }

    // MARK: What it says

    private func take(_ text: [UInt8], _ right: LiveRight) async {
        do throws(LiveRequest.Refusal) {
            switch try LiveRequest.read(text) {
            case .ping: send("{\"type\":\"pong\"}")
            case .subscribe(let names):
                if await isWithinLimit(right) { await subscribe(to: names, right.caller) }
            case .unsubscribe(let names): unsubscribe(from: names)
            }
        } catch {
            send(error: error.code, details: error.details)
        }
    }

    /// A subscription asks Redis as much as a request does, and counts as one.
    private func isWithinLimit(_ right: LiveRight) async -> Bool {
        do {
            let hash = right.caller.keyHash
            _ = try await services.authentication.follower(withKeyHash: hash, of: request, in: session)
            return true
        } catch let error as APIError where error.status == 429 {
            send(error: "rate_limited", details: error.detail)
        } catch {
            // One that is not valid any more is found out by itself, within seconds.
            send(error: "authorization_call_failed", details: "the API key cannot be checked: try again")
        }
        return false
    }

    private func subscribe(to wanted: [(name: LiveRequest.Name, after: FeedCursor?)], _ caller: Caller) async {
        var found: [(name: LiveRequest.Name, after: FeedCursor?, meeting: Meeting)] = []
        do {
            for (name, after) in wanted {
                if let meeting = try await meeting(name, caller) { found.append((name, after, meeting)) }
            }
        } catch {
            return send(error: "authorization_call_failed", details: "the records cannot be reached: try again")
        }
        guard !found.isEmpty else {
            return send(
                error: "authorization_service_error", details: "none of these is a meeting of the key's workspace")
        }
        // Each name counts: a room has any number of them.
        let names = Set(subscriptions.values.flatMap(\.names) + found.map(\.name))
        guard names.count <= Self.maximumSubscriptions else {
            return send(
                error: "too_many_subscriptions",
                details: "a socket has \(Self.maximumSubscriptions) meetings at most: open another one")
        }
        var (isAcknowledged, isBroken) = (false, false)
        func acknowledge(_ names: [LiveRequest.Name]) {
            isAcknowledged = true
            send("{\"type\":\"subscribed\",\"meetings\":[\(names.map(\.json).joined(separator: ","))]}")
        }
        // Of a meeting without a cursor: what comes before the client knows that it is subscribed waits until then.
        let early = EarlyMessages()
        var done: [LiveRequest.Name] = []
        for (name, after, meeting) in found {
            if after != nil, !isAcknowledged { acknowledge(found.map(\.name)) }
            // It means this meeting from now on, though it was another's before.
            leave(name, except: meeting.id)
            var names = [name]
            if let known = subscriptions[meeting.id] {
                if !known.names.contains(name) { subscriptions[meeting.id]?.names.append(name) }
                done.append(name)
                if after == nil { continue }
                names = subscriptions[meeting.id]?.names ?? names
                // Not even if it cannot be begun anew.
                known.viewer.end()
                subscriptions[meeting.id] = nil
            }
            do {
                let tell: (FeedMessage) -> Void = { [weak self] in
                    guard let self else { return }
                    if early.isOpen || after != nil {
                        self.tell($0)
                    } else if !early.add($0) {
                        socket.close(WebSocketClosure(4408, "too much is said: subscribe to less at once"))
                    }
                }
                let viewer = try await live.hub.follow(
                    meeting, after: after, in: session,
                    hasRoom: { [weak self] in await self?.socket.hasRoom() ?? false }, tell)
                if socket.isClosed { return viewer.end() }
                subscriptions[meeting.id] = Subscription(viewer: viewer, names: names)
                done.append(name)
            } catch {
                isBroken = true
                break
            }
        }
        if !isAcknowledged, !done.isEmpty { acknowledge(done) }
        for message in early.open() { tell(message) }
        if isBroken {
            send(error: "authorization_call_failed", details: "the records cannot be reached: try again")
        }
    }

    private final class EarlyMessages {
        private static let maximumBytes = 1_048_576

        private(set) var isOpen = false
        private var messages: [FeedMessage] = []
        private var bytes = 0

        /// - Returns: false if there is no room for it.
        func add(_ message: FeedMessage) -> Bool {
            bytes += message.chat.reduce(message.json().count) { $0 + $1.count }
            if bytes <= Self.maximumBytes { messages.append(message) }
            return bytes <= Self.maximumBytes
        }

        /// - Returns: those that have waited.
        func open() -> [FeedMessage] {
            isOpen = true
            defer { messages = [] }
            return messages
        }
    }

    private func unsubscribe(from names: [LiveRequest.Name]) {
        var ended: [LiveRequest.Name] = []
        for name in names where leave(name) { ended.append(name) }
        send("{\"type\":\"unsubscribed\",\"meetings\":[\(ended.map(\.json).joined(separator: ","))]}")
    }

    /// - Parameter kept: a meeting that keeps the name.
    /// - Returns: whether a meeting had it.
    @discardableResult
    private func leave(_ name: LiveRequest.Name, except kept: String? = nil) -> Bool {
        let found = subscriptions.first { $0.key != kept && $0.value.names.contains(name) }
        guard let (id, subscription) = found else { return false }
        let rest = subscription.names.filter { $0 != name }
        subscriptions[id]?.names = rest
        if rest.isEmpty {
            subscription.viewer.end()
            subscriptions[id] = nil
        }
        return true
    }

    /// - Returns: nil if the name is none, or no meeting of the caller's workspace.
    private func meeting(_ name: LiveRequest.Name, _ caller: Caller) async throws(RedisError) -> Meeting? {
        guard let platform = Platform(rawValue: name.platform), let room = try? Room(platform, name.nativeID) else {
            return nil
        }
        return try await session.meetings.meeting(in: room, workspace: caller.workspaceID)
    }

    // MARK: What it is told

    private func tell(_ message: FeedMessage) {
        for line in message.chat { socket.send(text: line) }
        socket.send(text: message.json())
    }

    /// Unasked, of all meetings of the workspace.
    private func tellStatus(_ message: FeedMessage) {
        if message.kind == .reset { return send("{\"type\":\"reset\"}") }
        guard case .status(let number, let nativeID, let status, let at) = message.kind else { return }
        var object = JSONText()
        object.add("type", "meeting.status")
        object.add("meeting_id", number)
        object.add("native", nativeID)
        object.add("status", status)
        object.add("when", time: at)
        socket.send(text: object.bytes)
    }

    private func send(_ text: String) { socket.send(text: Array(text.utf8)) }

    private func send(error: String, details: String? = nil) {
        var object = JSONText()
        object.add("type", "error")
        object.add("error", error)
        if let details { object.add("details", details) }
        socket.send(text: object.bytes)
    }
}

extension Room {
    fileprivate init(_ platform: Platform, _ nativeID: String) throws {
        guard (1...256).contains(nativeID.utf8.count) else { throw FormError("is none") }
        self.init(platform: platform, anySpelling: nativeID)
    }
}
