import Log

/// What a request asks for of a representation by its field `Range` (RFC 9110, section 14.2). Pure.
public enum AskedRange: Equatable, Sendable {
    /// All of it: no range was asked for, several were, or something that is no range of bytes. A server may pass over any.
    case whole
    case part(Range<Int>)
    case unsatisfiable

    /// - Parameters:
    ///   - field: the value of `Range`; nil if it is absent.
    ///   - length: of the representation, in bytes.
    public init(_ field: String?, of length: Int) {
        self = field.flatMap { Self.asked($0, of: length) } ?? .whole
    }

    /// - Returns: nil for what is not one range of bytes.
    private static func asked(_ field: String, of length: Int) -> AskedRange? {
        let unit = "bytes="
        guard field.prefix(unit.count).lowercased() == unit else { return nil }
        let ends = field.dropFirst(unit.count).split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, let first = number(ends[0]), let last = number(ends[1]) else { return nil }
        switch (first, last) {
        case (nil, nil): return nil
        case (nil, let suffix?):
            return suffix > 0 && length > 0 ? .part(max(0, length - suffix)..<length) : .unsatisfiable
        case (let first?, let last):
            if let last, last < first { return nil }
            guard first < length else { return .unsatisfiable }
            return .part(first..<min(length, (last ?? length).addingClamped(1)))
        }
    }

    /// Digits; what is greater than any length counts as that.
    /// - Returns: a nil of the inner kind for nothing, and of the outer one for what is no number.
    private static func number(_ text: Substring) -> Int?? {
        if text.isEmpty { return .some(nil) }
        guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        return Int(text) ?? .max
    }
}
