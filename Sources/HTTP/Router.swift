import Glibc
import Texts

/// Finds the handler for a path and method: a trie by path segment. A value; build it, then hand it to the servers.
public struct Router: Sendable {
    enum Handler: Sendable {
        case synchronous(@Sendable (Request) -> Response)
        case asynchronous(@Sendable (Request) async -> Response)
    }

    struct Route: Sendable {
        /// Its place in `routes`.
        let index: Int
        let method: Method
        let pattern: String
        let parameterNames: [String]
        let handler: Handler
    }

    struct Match {
        let route: Route
        let parameters: [String]
    }

    enum Resolution {
        case found(Match)
        /// OPTIONS, which is answered with what is allowed; no pattern belongs to `*`.
        case options(allow: String, pattern: String?)
        case methodNotAllowed(allow: String)
        case notFound
    }

    private struct Node: Sendable {
        var literals: [(name: [UInt8], node: Int)] = []
        var parameter: Int?
        var routes: [Route] = []
        var allow = ""
    }

    /// What was added, in order: `Request.routeIndex` is a place here.
    public private(set) var routes: [(method: Method, pattern: String)] = []
    private var nodes = [Node()]
    private var allowAnywhere = "OPTIONS"

    public init() {}

    /// Adds a handler that runs as a task on the request's loop.
    ///
    /// A pattern is a path whose segments are literal or `{name}`; a parameter matches one segment that is not empty,
    /// and a literal is preferred to it. GET answers HEAD too, without the body, unless HEAD has a handler of its own.
    /// Stops the program for a pattern that is not sound, or that is there already with the same method.
    public mutating func add(
        _ method: Method, _ pattern: String, _ handler: @escaping @Sendable (Request) async -> Response
    ) {
        add(method, pattern, .asynchronous(handler))
    }

    /// Adds a handler that answers at once on the loop's thread, without a task: for what never waits.
    public mutating func add(
        _ method: Method, _ pattern: String, synchronous handler: @escaping @Sendable (Request) -> Response
    ) {
        add(method, pattern, .synchronous(handler))
    }

    private mutating func add(_ method: Method, _ pattern: String, _ handler: Handler) {
        precondition(pattern.hasPrefix("/"), "the pattern \(pattern) must begin with a slash")
        var names: [String] = []
        var index = 0
        for segment in pattern.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            if segment.hasPrefix("{"), segment.hasSuffix("}"), segment.count > 2 {
                let name = String(segment.dropFirst().dropLast())
                precondition(!names.contains(name), "the pattern \(pattern) has {\(name)} twice")
                names.append(name)
                index = parameterChild(of: index)
            } else {
                precondition(
                    segment.utf8.allSatisfy(ByteSet.path.contains), "the pattern \(pattern) must be plain path text")
                index = literalChild(of: index, Array(segment.utf8))
            }
        }
        precondition(
            !nodes[index].routes.contains { $0.method == method }, "\(method) \(pattern) has a handler already")
        nodes[index].routes.append(
            Route(index: routes.count, method: method, pattern: pattern, parameterNames: names, handler: handler))
        routes.append((method, pattern))
        nodes[index].allow = Self.allow(nodes[index].routes)
        allowAnywhere = Self.allow(nodes.flatMap { $0.routes })
    }

    private mutating func parameterChild(of index: Int) -> Int {
        if let child = nodes[index].parameter { return child }
        nodes.append(Node())
        nodes[index].parameter = nodes.count - 1
        return nodes.count - 1
    }

    private mutating func literalChild(of index: Int, _ name: [UInt8]) -> Int {
        if let child = nodes[index].literals.first(where: { $0.name == name })?.node { return child }
        nodes.append(Node())
        nodes[index].literals.append((name, nodes.count - 1))
        return nodes.count - 1
    }

    /// The value of Allow (RFC 9110 section 10.2.1), in alphabetical order.
    private static func allow(_ routes: [Route]) -> String {
        var methods = Set(routes.map { $0.method.name })
        if methods.contains("GET") { methods.insert("HEAD") }
        methods.insert("OPTIONS")
        return methods.sorted().joined(separator: ", ")
    }

    // MARK: Lookup

    /// - Throws: 400 for a path with segments that are refused (see `PercentEncoding.segment`).
    func resolve(_ head: RequestHead) throws(HTTPError) -> Resolution {
        if head.line.isAsterisk { return .options(allow: allowAnywhere, pattern: nil) }
        var parameters: [String] = []
        let found = try head.bytes.withUnsafeBufferPointer { bytes throws(HTTPError) -> Int? in
            let range = head.line.path.range
            // The path of an absolute-form may be empty, which means "/".
            if range.isEmpty { return try find(0, bytes[0..<0], &parameters) }
            return try find(0, bytes[(range.lowerBound + 1)..<range.upperBound], &parameters)
        }
        guard let found else { return .notFound }
        let routes = nodes[found].routes
        if let route = routes.first(where: { $0.method == head.method })
            ?? (head.method == .head ? routes.first { $0.method == .get } : nil)
        {
            return .found(Match(route: route, parameters: parameters))
        }
        if head.method == .options { return .options(allow: nodes[found].allow, pattern: routes.first?.pattern) }
        return .methodNotAllowed(allow: nodes[found].allow)
    }

    /// The node with routes that the rest of the path leads to. It follows the trie, so it goes no deeper than the
    /// longest pattern, whatever the path.
    /// - Parameter rest: what follows the slash.
    private func find(
        _ index: Int, _ rest: Slice<UnsafeBufferPointer<UInt8>>, _ parameters: inout [String]
    ) throws(HTTPError) -> Int? {
        let end = rest.firstIndex(of: ASCII.slash) ?? rest.endIndex
        let isLast = end == rest.endIndex
        let segment = try Segment(rest[rest.startIndex..<end])
        func descend(_ child: Int, _ parameters: inout [String]) throws(HTTPError) -> Int? {
            if isLast { return nodes[child].routes.isEmpty ? nil : child }
            return try find(child, rest[(end + 1)...], &parameters)
        }
        if let child = nodes[index].literals.first(where: { segment.equals($0.name) })?.node,
            let found = try descend(child, &parameters)
        {
            return found
        }
        guard let child = nodes[index].parameter, !segment.isEmpty else { return nil }
        parameters.append(segment.text)
        if let found = try descend(child, &parameters) { return found }
        parameters.removeLast()
        return nil
    }
}

/// A path segment, decoded only if it must be.
private struct Segment {
    private let raw: UnsafeBufferPointer<UInt8>
    private let decoded: [UInt8]?

    /// - Throws: 400 for a segment that is refused (see `PercentEncoding.segment`).
    init(_ raw: Slice<UnsafeBufferPointer<UInt8>>) throws(HTTPError) {
        self.raw = UnsafeBufferPointer(rebasing: raw)
        // Only an escape or a dot can make a segment odd: the parser has refused all other bytes.
        let isPlain = raw.first != ASCII.dot && !raw.contains(ASCII.percent)
        decoded = isPlain ? nil : try PercentEncoding.segment(raw)
    }

    var isEmpty: Bool { raw.isEmpty }

    func equals(_ name: [UInt8]) -> Bool {
        if let decoded { return decoded == name }
        guard raw.count == name.count, let base = raw.baseAddress else { return raw.count == name.count }
        return memcmp(base, name, name.count) == 0
    }

    var text: String {
        decoded.map { String(bounding: $0) } ?? String(decoding: raw, as: UTF8.self)
    }
}
