extension String {
    /// The text as it stands between the quotes of a JSON string (RFC 8259, section 7). Control characters never reach
    /// a terminal in this form either.
    public var jsonEscaped: String {
        // Nearly every text needs no escape, and is only looked through.
        var text = self
        if text.withUTF8({ Self.firstSpecial(in: $0, from: 0) == $0.count }) { return self }
        var escaped: [UInt8] = []
        appendJSONEscaped(to: &escaped)
        return String(decoding: escaped, as: UTF8.self)
    }

    /// Appends the text as `jsonEscaped` has it.
    public func appendJSONEscaped(to output: inout [UInt8]) {
        var text = self
        text.withUTF8 { bytes in
            // From one byte that needs an escape to the next: all of them are ASCII, and so no part of another character.
            var start = 0
            while true {
                let special = Self.firstSpecial(in: bytes, from: start)
                output.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[start..<special]))
                if special == bytes.count { return }
                Self.escape(bytes[special], to: &output)
                start = special + 1
            }
        }
    }

    private static func escape(_ byte: UInt8, to output: inout [UInt8]) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): output += [UInt8(ascii: "\\"), byte]
        case UInt8(ascii: "\n"): output += "\\n".utf8
        case UInt8(ascii: "\r"): output += "\\r".utf8
        case UInt8(ascii: "\t"): output += "\\t".utf8
        default:
            let digits = String(byte, radix: 16)
            output += "\\u00\(digits.count < 2 ? "0" : "")\(digits)".utf8
        }
    }

    /// The first byte that needs an escape, or the end.
    private static func firstSpecial(in bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
        var index = start
        let words = UnsafeRawBufferPointer(bytes)
        while bytes.count - index >= 8, !hasSpecial(words.loadUnaligned(fromByteOffset: index, as: UInt64.self)) {
            index += 8
        }
        while index < bytes.count, standsForItself(bytes[index]) { index += 1 }
        return index
    }

    /// Whether one of eight bytes at once is special: a byte is less than n if to subtract n borrows into its highest bit,
    /// which it did not have itself; and is a certain one if it differs from it by less than one. A borrow can go on into
    /// the byte above, but only from one that is special.
    private static func hasSpecial(_ word: UInt64) -> Bool {
        let each: UInt64 = 0x0101_0101_0101_0101
        func below(_ bound: UInt64, _ word: UInt64) -> UInt64 { (word &- each &* bound) & ~word }
        let special =
            below(0x20, word) | below(1, word ^ each &* 0x22) | below(1, word ^ each &* 0x5c)
            | below(1, word ^ each &* 0x7f)
        return special & each &* 0x80 != 0
    }

    private static func standsForItself(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte != 0x22 && byte != 0x5c && byte != 0x7f
    }
}
