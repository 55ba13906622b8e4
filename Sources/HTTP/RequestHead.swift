import Texts

/// The head of a request: its bytes, and where in them everything stands. Text is made only when asked for.
public struct RequestHead: Sendable {
    /// The request line and the header section, with their line ends.
    let bytes: [UInt8]
    let line: RequestLine
    let fields: [HeaderField]
    let framing: Framing

    public var method: Method { line.method }

    /// 0 for HTTP/1.0, else 1.
    public var minorVersion: Int { line.minorVersion }

    /// Whether there was a sound request line: a refused message may have had none.
    var isParsed: Bool { !line.target.isEmpty }

    /// The target as it was sent.
    public var target: String { text(line.target) }

    /// The path as it was sent, still percent-encoded; `*` for `OPTIONS *`.
    public var path: String {
        if line.isAsterisk { return "*" }
        return line.path.isEmpty ? "/" : text(line.path)
    }

    /// Whether the connection may be used again after the answer (RFC 9112 section 9.3).
    public var isKeptAlive: Bool {
        !framing.hasClose && (line.minorVersion >= 1 || framing.hasKeepAlive)
    }

    /// The host and port that the request is for: from an absolute-form, else from the Host field
    /// (RFC 9112 section 3.2.2). nil only with HTTP/1.0.
    public var host: String? {
        if let authority = line.authority { return text(authority) }
        return value(of: "Host")
    }

    /// The value of a header field, whatever the case of its name; nil if it is absent. The values of a repeated field
    /// are joined by ", " (RFC 9110 section 5.3), so that a repeated credential is no valid one. Of combining marks in a row the
    /// first count (`MarkRun`).
    public func value(of name: String) -> String? {
        var result: String?
        forEachField(named: name) { value in
            let text = text(value)
            result = result.map { "\($0), \(text)" } ?? text
        }
        return result
    }

    /// All values of a header field, in order, whatever the case of its name.
    public func values(of name: String) -> [String] {
        var result: [String] = []
        forEachField(named: name) { result.append(text($0)) }
        return result
    }

    /// The names, as they were sent, and the values of all fields, in order.
    public var allFields: [(name: String, value: String)] {
        fields.map { (text($0.name), text($0.value)) }
    }

    /// The same as bytes, for who must not lose those that are no UTF-8.
    package var rawFields: [(name: ArraySlice<UInt8>, value: ArraySlice<UInt8>)] {
        fields.map { (bytes[$0.name.range], bytes[$0.value.range]) }
    }

    func text(_ range: ByteRange) -> String {
        bytes.withUnsafeBufferPointer { String(bounding: UnsafeBufferPointer(rebasing: $0[range.range])) }
    }

    func forEachField(named name: String, _ body: (ByteRange) -> Void) {
        var name = name
        name.withUTF8 { wanted in
            bytes.withUnsafeBufferPointer { bytes in
                for field in fields where field.name.count == wanted.count {
                    let start = Int(field.name.start)
                    let isEqual = wanted.indices.allSatisfy {
                        ASCII.lowercased(bytes[start + $0]) == ASCII.lowercased(wanted[$0])
                    }
                    if isEqual { body(field.value) }
                }
            }
        }
    }
}

/// A request as it came off the wire.
public struct ParsedRequest: Sendable {
    public let head: RequestHead
    public let body: [UInt8]
}
