/// A reply of Redis. Text that is not valid UTF-8 comes with its broken bytes replaced by U+FFFD: what Usher writes is
/// UTF-8, so only what another hand wrote can be affected.
public enum Value: Equatable, Sendable {
    case null
    case integer(Int)
    /// A bulk string, or a status such as `OK`.
    case string(String)
    case array([Value])
    /// An error reply. As a part of an array it belongs to one command of several.
    case error(String)

    public var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    public var integer: Int? {
        if case .integer(let number) = self { number } else { nil }
    }

    public var array: [Value]? {
        if case .array(let values) = self { values } else { nil }
    }

    /// The fields and values of a hash, as HGETALL returns them: empty if there is no such key. For records whose fields
    /// Usher names itself: Swift takes names for one that differ only in how Unicode composes their letters.
    /// - Throws: `RedisError.unexpectedReply` if this is something else.
    public func hash() throws(RedisError) -> [String: String] {
        let values = try arrayOrThrow()
        guard values.count % 2 == 0 else { throw .unexpectedReply("a hash with \(values.count) parts") }
        var hash: [String: String] = [:]
        hash.reserveCapacity(values.count / 2)
        for index in stride(from: 0, to: values.count, by: 2) {
            hash[try values[index].stringOrThrow()] = try values[index + 1].stringOrThrow()
        }
        return hash
    }

    /// The fields of lines of `name:value`, as `INFO` and `CLUSTER INFO` return them; nil if this is no text.
    public var info: [String: String]? {
        guard let string else { return nil }
        var fields: [String: String] = [:]
        for line in string.split(whereSeparator: \.isNewline) where !line.hasPrefix("#") {
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { fields[String(parts[0])] = String(parts[1]) }
        }
        return fields
    }

    public func stringOrThrow() throws(RedisError) -> String {
        guard let string else { throw unexpected("a string") }
        return string
    }

    public func integerOrThrow() throws(RedisError) -> Int {
        guard let integer else { throw unexpected("an integer") }
        return integer
    }

    public func arrayOrThrow() throws(RedisError) -> [Value] {
        guard let array else { throw unexpected("an array") }
        return array
    }

    /// The string, or nil for a missing one.
    public func optionalString() throws(RedisError) -> String? {
        if case .null = self { return nil }
        return try stringOrThrow()
    }

    private func unexpected(_ wanted: String) -> RedisError {
        switch self {
        case .error(let text): .refused(text)
        case .null: .unexpectedReply("nil in place of \(wanted)")
        case .integer: .unexpectedReply("an integer in place of \(wanted)")
        case .string: .unexpectedReply("a string in place of \(wanted)")
        case .array: .unexpectedReply("an array in place of \(wanted)")
        }
    }
}
