import HTTP

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
