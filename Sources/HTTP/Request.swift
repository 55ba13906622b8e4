import EventLoop
import Log
import Texts

/// A whole request, as handlers see it.
public final class Request: Sendable {
    public let head: RequestHead
    public let body: [UInt8]
    /// When the head had arrived.
    public let received: MonotonicTime
    /// The point in time by which the handler should have answered.
    public let deadline: MonotonicTime
    /// Where the connection comes from; nil if that is no IP address.
    public let peer: IPAddress?
    /// The pattern that the path matched; nil if none did.
    public let route: String?
    /// The place among the router's `routes` of the one that the path and method matched; nil if none did.
    public let routeIndex: Int?
    private let parameterNames: [String]
    private let parameterValues: [String]
    let identifier: RequestIdentifier
    private let serial: RequestSerial

    init(
        head: RequestHead, body: [UInt8], received: MonotonicTime, deadline: MonotonicTime,
        identifier: RequestIdentifier, serial: RequestSerial, match: Router.Match?, peer: IPAddress? = nil
    ) {
        self.head = head
        self.body = body
        self.received = received
        self.deadline = deadline
        self.identifier = identifier
        self.serial = serial
        self.peer = peer
        route = match?.route.pattern
        routeIndex = match?.route.index
        parameterNames = match?.route.parameterNames ?? []
        parameterValues = match?.parameters ?? []
    }

    public var method: Method { head.method }

    /// The path as it was sent, still percent-encoded and without the query: fit for a log.
    public var path: String { head.path }

    /// The id that the answer carries as `X-Request-Id`: the caller's, or 32 hexadecimal digits.
    public var id: String { identifier.text }

    /// The trace that the request belongs to, with the request as the parent of what follows: the caller's, by its field
    /// `traceparent`, or a new one, whose id is that of the request if the server made that too. Worked out at each call.
    public var trace: TraceContext {
        if let parent = header("traceparent"),
            let trace = TraceContext(traceparent: parent, tracestate: header("tracestate"))
        {
            return trace.continued(by: serial.low)
        }
        return TraceContext(newTrace: serial.high, serial.low, operation: serial.low)
    }

    /// The segment of the path at `{name}` in the route's pattern, percent-decoded: never empty, without slashes and
    /// control characters. Stops the program for a name that the pattern does not have.
    public func parameter(_ name: String) -> String {
        guard let index = parameterNames.firstIndex(of: name) else {
            preconditionFailure("the route \(route ?? "(none)") has no parameter {\(name)}")
        }
        return parameterValues[index]
    }

    /// The value of a header field, whatever the case of its name; nil if it is absent. The values of a repeated field
    /// are joined by ", " (RFC 9110 section 5.3), so that a repeated credential is no valid one.
    public func header(_ name: String) -> String? { head.value(of: name) }

    /// All values of a header field, in order, whatever the case of its name.
    public func headers(_ name: String) -> [String] { head.values(of: name) }

    /// The first value of a query parameter, decoded as a form is: "+" is a space, and bytes that are no UTF-8 become U+FFFD.
    /// - Returns: nil if it is absent, empty if it has no value.
    public func query(_ name: String) -> String? {
        guard let query = head.line.query else { return nil }
        var rest = head.bytes[query.range]
        while !rest.isEmpty {
            let item = rest.prefix { $0 != UInt8(ascii: "&") }
            rest = rest[item.endIndex...].dropFirst()
            let own = item.prefix { $0 != ASCII.equals }
            // Nothing else is decoded.
            if !item.isEmpty, Self.isName(own, name) { return Self.text(item[own.endIndex...].dropFirst()) }
        }
        return nil
    }

    private static func isName(_ bytes: ArraySlice<UInt8>, _ name: String) -> Bool {
        let isPlain = !bytes.contains { $0 == ASCII.percent || $0 == ASCII.plus }
        return isPlain ? bytes.elementsEqual(name.utf8) : text(bytes) == name
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        String(bounding: PercentEncoding.decode(bytes, plusIsSpace: true))
    }
}
