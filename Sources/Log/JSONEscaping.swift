extension String {
    /// The text as it stands between the quotes of a JSON string (RFC 8259, section 7). Control characters never reach
    /// a terminal in this form either.
    public var jsonEscaped: String {
        // Nearly every text needs no escape, and is only looked through.
        if utf8.allSatisfy(Self.standsForItself) { return self }
        var escaped: [UInt8] = []
        appendJSONEscaped(to: &escaped)
        return String(decoding: escaped, as: UTF8.self)
    }

    /// Appends the text as `jsonEscaped` has it.
    public func appendJSONEscaped(to output: inout [UInt8]) {
        var text = self
        text.withUTF8 { bytes in
            // From one byte that needs an escape to the next: all of them are ASCII, and so no part of another character.
            var rest = bytes[...]
            while let special = rest.firstIndex(where: { !Self.standsForItself($0) }) {
                output.append(contentsOf: rest[..<special])
                Self.escape(rest[special], to: &output)
                rest = rest[(special + 1)...]
            }
            output.append(contentsOf: rest)
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

    private static func standsForItself(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte != 0x22 && byte != 0x5c && byte != 0x7f
    }
}
