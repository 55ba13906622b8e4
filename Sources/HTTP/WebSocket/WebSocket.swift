import EventLoop

/// A WebSocket as its server's side uses it. Messages are taken one after the other; while none is taken, few are read.
///
/// `@unchecked Sendable`: belongs to the thread of its connection's loop, and every entry checks that.
public final class WebSocket: @unchecked Sendable {
    public enum Message: Hashable, Sendable {
        case text([UInt8])
        case binary([UInt8])

        fileprivate var count: Int {
            switch self {
            case .text(let bytes), .binary(let bytes): bytes.count
            }
        }
    }

    /// Messages that are read before they are taken.
    private static let maximumInbox = 16

    private let loop: EventLoop
    private(set) weak var connection: Connection?
    private let limits: HTTPConfiguration.WebSocketLimits
    private var parser: WebSocketParser
    private var inbox: [Message] = []
    /// What was read and not parsed yet, as the inbox was full.
    private var leftover: [UInt8] = []
    private var waiter: UnsafeContinuation<Message?, Never>?
    /// What `unsentBudget` has of its client.
    private var counted = 0
    /// What is its client's of a bound for all of that client's.
    private var share: UnsentShare?
    /// The lengths of the frames that its client has not taken as a whole.
    private var frames: [Int] = []
    private var framesBytes = 0
    private var senders: [UnsafeContinuation<Void, Never>] = []
    /// What the last ping of what has been read wants back.
    private var pong: [UInt8]?
    private var lastInput: MonotonicTime
    /// Nothing is sent any more.
    public private(set) var isClosed = false
    /// Whether that is as its client left too much untaken.
    public private(set) var closedAsSlow = false
    /// Called once it is closed, by whichever side, on the loop's thread; at once if it is.
    public var onClose: (() -> Void)? {
        didSet {
            guard isClosed, let onClose else { return }
            self.onClose = nil
            onClose()
        }
    }
    /// Let go once its connection is gone, at once if it is: one that is closed has yet to be told so, and takes its place
    /// until then.
    public var hold: AnyObject? {
        didSet { if isGone, hold != nil { hold = nil } }
    }
    private var isGone = false

    init(_ connection: Connection) {
        self.connection = connection
        loop = connection.server.loop
        limits = connection.server.configuration.webSockets
        parser = WebSocketParser(maximumMessageBytes: limits.messageBytes)
        lastInput = loop.now
    }

    // MARK: For who serves it

    /// The next message; nil once it is closed.
    public func next() async -> Message? {
        loop.preconditionCurrent()
        if inbox.isEmpty, !isClosed { parse() }
        if !inbox.isEmpty {
            let message = inbox.removeFirst()
            connection?.conclude()
            return message
        }
        // What was left over held none: more is read.
        connection?.conclude()
        if isClosed { return nil }
        return await withUnsafeContinuation { waiter = $0 }
    }

    /// Waits until the client has taken all that it was sent, so that a long stretch of messages can be sent to one
    /// that takes its time.
    /// - Returns: false once the socket is closed.
    public func hasRoom() async -> Bool {
        loop.preconditionCurrent()
        while !isClosed, let connection, connection.unsentBytes > 0 {
            await withUnsafeContinuation { senders.append($0) }
        }
        return !isClosed
    }

    /// Sends a text. A client that has left too much untaken is not sent more: the socket is closed with 4408, and the
    /// client goes on where it was once it is back.
    public func send(text: [UInt8]) {
        loop.preconditionCurrent()
        guard !isClosed, let connection else { return }
        let frame = WebSocketFrame.text(text)
        // One that is longer than the buffer may go out alone.
        let unsent = connection.unsentBytes
        guard unsent == 0 || unsent + frame.count <= limits.unsentBytes && !limits.unsentBudget.isSpent else {
            return closeAsSlow()
        }
        put(frame, on: connection)
    }

    /// Has what its client leaves untaken counted with that of the client's others.
    public func share(in clients: UnsentClients, of client: String) {
        loop.preconditionCurrent()
        guard !isClosed else { return }
        share = clients.share(of: client) { [weak self] in self?.closeAsSlow() }
        share?.add(counted)
    }

    private func put(_ frame: [UInt8], on connection: Connection) {
        frames.append(frame.count)
        framesBytes += frame.count
        connection.send(frame: frame)
        count()
    }

    /// Notes what the client has not taken.
    private func count() {
        let unsent = isGone ? 0 : connection?.unsentBytes ?? 0
        var (taken, count) = (framesBytes - unsent, 0)
        while count < frames.count, taken >= frames[count] {
            taken -= frames[count]
            framesBytes -= frames[count]
            count += 1
        }
        frames.removeFirst(count)
        let more = unsent - counted
        counted = unsent
        limits.unsentBudget.add(more)
        share?.add(more)
    }

    /// What it has not begun to take it gets by its cursor, and is not held until it does.
    private func closeAsSlow() {
        guard !isClosed, let connection else { return }
        closedAsSlow = true
        count()
        // The handshake's answer may be before the frames.
        let taken = framesBytes - connection.unsentBytes
        connection.dropOutput(to: taken > 0 ? frames[0] - taken : -taken)
        (frames, framesBytes) = ([], 0)
        close(WebSocketClosure(4408, "too slow: take messages sooner, and go on by your cursor"))
    }

    /// Says so to the client, and ends it.
    public func close(_ closure: WebSocketClosure) {
        end(with: WebSocketFrame.close(closure.code, closure.reason))
    }

    // MARK: For the connection

    var wantsInput: Bool { inbox.count < Self.maximumInbox && leftover.isEmpty && inboxBytes < limits.messageBytes }

    /// Few, as messages are.
    private var inboxBytes: Int { inbox.reduce(0) { $0 + $1.count } }

    func take(_ input: UnsafeBufferPointer<UInt8>) {
        lastInput = loop.now
        leftover.append(contentsOf: input)
        parse()
    }

    private func parse() {
        guard !leftover.isEmpty else { return }
        let input = leftover
        leftover = []
        var position = 0
        input.withUnsafeBufferPointer { input in
            while position < input.count, !isClosed, inbox.count < Self.maximumInbox {
                guard let event = parser.advance(input, at: &position) else { return }
                take(event)
            }
        }
        if position < input.count, !isClosed { leftover = Array(input[position...]) }
        answerPing()
    }

    /// The last one alone (RFC 6455 section 5.5.3), however many there were. And none where answers lie in wait: who sends
    /// pings and reads nothing would make them many.
    private func answerPing() {
        guard let pong, let connection, !isClosed else { return }
        self.pong = nil
        if connection.unsentBytes <= limits.unsentBytes { put(WebSocketFrame.pong(pong), on: connection) }
    }

    private func take(_ event: WebSocketParser.Event) {
        switch event {
        case .text(let bytes): deliver(.text(bytes))
        case .binary(let bytes): deliver(.binary(bytes))
        case .ping(let payload): pong = payload
        case .pong: break
        case .close(let code): end(with: WebSocketFrame.close(code))
        case .failed(let closure): close(closure)
        }
    }

    private func deliver(_ message: Message) {
        guard let waiter else { return inbox.append(message) }
        self.waiter = nil
        waiter.resume(returning: message)
    }

    /// Called now and then: asks a silent client whether it is there, or gives it up.
    func checkIdle() {
        if loop.now.milliseconds(since: lastInput) >= limits.silenceMilliseconds {
            connection?.close()
        } else if let connection {
            put(WebSocketFrame.ping([]), on: connection)
        }
    }

    private func end(with frame: [UInt8]) {
        guard !isClosed else { return }
        let connection = connection
        hasEnded()
        connection?.sendLast(frame: frame)
    }

    /// The client has taken some.
    func hasSent() {
        count()
        let senders = senders
        self.senders = []
        for sender in senders { sender.resume() }
    }

    /// The connection is gone, or going.
    func hasEnded() {
        guard !isClosed else { return }
        isClosed = true
        inbox = []
        leftover = []
        let (waiter, onClose) = (waiter, onClose)
        self.waiter = nil
        self.onClose = nil
        waiter?.resume(returning: nil)
        share?.end()
        share = nil
        hasSent()
        onClose?()
    }

    /// The connection is gone.
    func hasGone() {
        isGone = true
        hold = nil
        count()
    }
}

extension Connection {
    /// What the client has not taken yet.
    var unsentBytes: Int { output.count - outputStart }

    /// The answer has opened a WebSocket: from now on the connection is its.
    func beginSocket(_ serve: @escaping @Sendable (WebSocket) async -> Void) {
        let socket = WebSocket(self)
        self.socket = socket
        enter(.upgraded)
        if server.isDraining { return socket.close(Self.goingAway) }
        Task(executorPreference: server.loop) {
            await serve(socket)
            socket.close(WebSocketClosure(1000, ""))
        }
    }

    static let goingAway = WebSocketClosure(1001, "this node stops: connect again")

    /// Drops what the client has not taken, but for the first bytes of it.
    func dropOutput(to count: Int) {
        output.removeLast(unsentBytes - count)
        guard count == 0 else { return }
        output = []
        outputStart = 0
    }

    func send(frame: [UInt8]) {
        guard phase == .upgraded else { return }
        if output.isEmpty { server.output += frame } else { output += frame }
        conclude()
    }

    /// After it nothing is sent, and what the client sends is dropped until it closes.
    func sendLast(frame: [UInt8]) {
        guard phase == .upgraded else { return }
        if output.isEmpty { server.output += frame } else { output += frame }
        enter(.closing)
        conclude()
    }
}
