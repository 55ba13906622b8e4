import HTTP

extension Target {
    /// The HTTP parser: what it makes of an input must not depend on how that is cut into pieces.
    static let http = Target(
        name: "http", maximumBytes: 2_048,
        tokens: [
            "\r\n", "\r\n\r\n", "\n", "\r", "\0", " ", "\t", ":", ";", ",", "0\r\n\r\n", "5\r\nhello\r\n",
            "GET / HTTP/1.1\r\n", "HTTP/1.0", "HTTP/2.0", "Host: a\r\n", "Content-Length: 5\r\n",
            "Content-Length: 0\r\n", "Content-Length:", "Transfer-Encoding: chunked\r\n",
            "Transfer-Encoding: identity\r\n", "transfer-encoding:", "chunked", "Expect: 100-continue\r\n",
            "Connection: close\r\n", "Connection: keep-alive\r\n", "http://a:80", "*", "%2f", "%00", "%", "?", "#",
            "ffffffffffffffff", "99999999999999999999", "0x", "+", "-", "[::1]", "@", "\u{7f}", "\u{e4}",
        ]
    ) { input, mutator in Invariants.violation(input, cuts: mutator.cuts(of: input.count)) }
}

/// What must hold for any input whatever. That nothing traps goes without saying.
enum Invariants {
    /// Small limits, so that short inputs reach them.
    static let smallLimits: RequestParser.Limits = {
        var limits = RequestParser.Limits()
        limits.requestLineBytes = 64
        limits.headerSectionBytes = 128
        limits.headerFields = 6
        limits.bodyBytes = 48
        return limits
    }()

    /// - Parameter cuts: places, ascending, where the input is cut in a further try.
    /// - Returns: what does not hold, or nil.
    static func violation(_ input: [UInt8], cuts: [Int]) -> String? {
        violation(input, cuts: cuts, limits: RequestParser.Limits())
            ?? violation(input, cuts: cuts, limits: smallLimits).map { "with small limits: \($0)" }
    }

    private static func violation(_ input: [UInt8], cuts: [Int], limits: RequestParser.Limits) -> String? {
        let whole = Outcome(of: input, cutAt: [], limits: limits)
        for (name, other) in [
            ("cut at \(cuts)", Outcome(of: input, cutAt: cuts, limits: limits)),
            ("byte by byte", Outcome(of: input, cutAt: 0..<input.count, limits: limits)),
        ] {
            guard other == whole else { return "\(name) gives \(other), whole gives \(whole)" }
            guard other.heldBytes <= limits.heldBytes else { return "\(name), \(other.heldBytes) bytes are held" }
        }
        guard whole.heldBytes <= limits.heldBytes else { return "\(whole.heldBytes) bytes are held" }
        for message in whole.messages {
            let again = Outcome(of: message.serialised, cutAt: [], limits: limits)
            guard again.messages == [message], again.refusal == nil, !again.isWithinMessage else {
                return "\(message) reads differently when written out again: \(again)"
            }
        }
        return nil
    }
}
