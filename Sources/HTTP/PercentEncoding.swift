/// Percent-encoded text of paths and queries. The parser has already seen to it that every "%" is followed by two
/// hexadecimal digits, and that none of them is %00.
enum PercentEncoding {
    /// The bytes that are meant.
    /// - Parameter plusIsSpace: as in a form-encoded query.
    static func decode(_ bytes: some Collection<UInt8>, plusIsSpace: Bool = false) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let byte = bytes[index]
            bytes.formIndex(after: &index)
            guard byte == ASCII.percent else {
                result.append(plusIsSpace && byte == ASCII.plus ? ASCII.space : byte)
                continue
            }
            var value: UInt8 = 0
            for _ in 0..<2 where index < bytes.endIndex {
                value = value << 4 | (ASCII.hexadecimalValue(bytes[index]) ?? 0)
                bytes.formIndex(after: &index)
            }
            result.append(value)
        }
        return result
    }

    /// A path segment as it is meant.
    /// - Throws: 400 for what could be taken for something else further on: an encoded slash, a control byte, bytes
    ///   that are no UTF-8, and the dot segments, which other software on the way might have resolved.
    static func segment(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) throws(HTTPError) -> [UInt8] {
        let decoded = bytes.contains(ASCII.percent) ? decode(bytes) : Array(bytes)
        guard !decoded.contains(where: { $0 < ASCII.space || $0 == ASCII.slash || $0 == ASCII.delete }),
            decoded != [ASCII.dot], decoded != [ASCII.dot, ASCII.dot], String(validating: decoded, as: UTF8.self) != nil
        else {
            throw HTTPError(400, "Send a path without dot segments, encoded slashes or encoded control bytes.")
        }
        return decoded
    }
}
