extension Scanner {
    /// A number (RFC 8259, section 6), at its first character.
    mutating func scanNumber() throws(JSONError) {
        let start = position
        if byte == UInt8(ascii: "-") { position += 1 }
        let first = position
        try scanDigits()
        guard input[first] != UInt8(ascii: "0") || position == first + 1 else {
            throw .syntax("a number with a zero too many before it", at: first)
        }
        if byte == UInt8(ascii: ".") {
            position += 1
            try scanDigits()
        }
        if let letter = byte, letter | 0x20 == UInt8(ascii: "e") {
            position += 1
            if byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") { position += 1 }
            try scanDigits()
        }
        guard position - start <= limits.numberBytes else {
            throw .limit("\(limits.numberBytes) characters in a number", at: start + limits.numberBytes)
        }
        tape.nodes.append(.init(kind: .number, start: UInt32(start), length: UInt32(position - start)))
    }

    /// One digit or more.
    private mutating func scanDigits() throws(JSONError) {
        guard let byte, isDigit(byte) else { throw syntax("a number that lacks a digit") }
        while position < input.count, isDigit(input[position]) { position += 1 }
    }
}

func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
}
