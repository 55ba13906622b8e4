/// The settings of a server. Each has its unit in its name.
public struct HTTPConfiguration: Sendable {
    /// What one request may take.
    public var limits = RequestParser.Limits()
    /// Milliseconds from a head's first byte to its last, else 408.
    public var headerTimeoutMilliseconds = 10_000
    /// Milliseconds from the end of the head to the end of the body, else 408.
    public var bodyTimeoutMilliseconds = 10_000
    /// What the large bodies that have not come as a whole may hold together, of all servers that share it; a body of more
    /// than `smallBodyBytes` that comes in beyond is answered with 503. Nobody knows yet who sends it.
    public var bodyBudget = ByteBudget(bytes: 134_217_728)
    static let smallBodyBytes = 65_536
    /// Milliseconds that a connection may wait for its next request (or its first) before it is closed.
    public var idleTimeoutMilliseconds = 60_000
    /// Milliseconds that an answer may wait for the client to take any part of it before the connection is closed.
    public var writeTimeoutMilliseconds = 10_000
    /// Milliseconds after the arrival of its head by which a request should be answered: `Request.deadline`.
    public var requestDeadlineMilliseconds = 5_000
    /// Milliseconds past the request's deadline after which the server answers 503 in place of the handler.
    public var overrunMilliseconds = 10_000
    /// Milliseconds, and bytes, that are still read and dropped after the last answer on a connection, so that the
    /// client gets the answer instead of a reset (RFC 9112 section 9.6).
    public var lingerMilliseconds = 2_000
    public var lingerBytes = 1_048_576
    /// Milliseconds that a draining server waits for the first byte on connections that have not sent any.
    public var drainGraceMilliseconds = 500
    /// Connections that are served at once, unless a `ConnectionBudget` is shared by several servers. More of them wait
    /// in the kernel's queue.
    public var maximumConnections = 10_000
    /// Connections that the kernel keeps waiting; more than `net.core.somaxconn` is cut to that.
    public var backlog = 1_024
    /// Milliseconds without accepting after the kernel had no descriptor or memory for a connection.
    public var acceptPauseMilliseconds = 100
    /// Fields that every answer carries, but for those of its own with the same name.
    public var commonFields: [(name: String, value: String)] = []
    /// Which pages of other origins may use the server; nil: none.
    public var crossOrigin: CrossOrigin?
    /// Makes the answer to a request that the HTTP layer refuses; the request is there if its request line could be read.
    /// `Allow` and `Connection` are added by the server.
    public var errorResponse: @Sendable (HTTPError, Request?) -> Response = { error, _ in error.envelope() }
    /// Told of every answer, on the loop's thread, when it has been given to the connection. The duration is in
    /// nanoseconds since the head arrived, 0 if none did. Must not wait.
    public var onResponse: (@Sendable (_ request: Request?, _ response: Response, _ duration_ns: UInt64) -> Void)?

    /// Settings of WebSockets.
    public struct WebSocketLimits: Sendable {
        /// Bytes of the longest message that a client may send.
        public var messageBytes = 65_536
        /// Bytes that a client may leave untaken before it is closed with 4408.
        public var unsentBytes = 262_144
        /// What all of them may leave untaken, of all servers that share it.
        public var unsentBudget = ByteBudget()
        /// Milliseconds between two pings.
        public var pingMilliseconds = 20_000
        /// Milliseconds without a word of the client, not even an answer to a ping, after which it is given up.
        var silenceMilliseconds: Int { 3 * pingMilliseconds }
    }
    public var webSockets = WebSocketLimits()

    public init() {}

    /// Every timeout, shortest first: how often the server must look.
    var shortestTimeoutMilliseconds: Int {
        min(
            headerTimeoutMilliseconds, bodyTimeoutMilliseconds, idleTimeoutMilliseconds, writeTimeoutMilliseconds,
            overrunMilliseconds, lingerMilliseconds)
    }
}
