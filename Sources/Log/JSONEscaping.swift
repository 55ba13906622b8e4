extension String {
    /// The text as it stands between the quotes of a JSON string (RFC 8259, section 7). Control characters never reach
    /// a terminal in this form either.
    public var jsonEscaped: String {
        // Over contiguous bytes: nearly every text needs no escape, and is only looked through.
        let needsNone = utf8.withContiguousStorageIfAvailable { $0.allSatisfy(Self.standsForItself) }
        guard !(needsNone ?? utf8.allSatisfy(Self.standsForItself)) else { return self }
        var result = ""
        for scalar in unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7f:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// Appends the text as `jsonEscaped` has it.
    func appendJSONEscaped(to output: inout [UInt8]) {
        let isDone = utf8.withContiguousStorageIfAvailable { bytes in
            guard bytes.allSatisfy(Self.standsForItself) else { return false }
            output.append(contentsOf: bytes)
            return true
        }
        if isDone != true { output.append(contentsOf: jsonEscaped.utf8) }
    }

    private static func standsForItself(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte != 0x22 && byte != 0x5c && byte != 0x7f
    }
}
