import Texts

extension Scanner {
    /// A text (RFC 8259, section 7) after its opening quote.
    mutating func scanText(_ kind: Tape.Node.Kind, link: UInt32 = 0) throws(JSONError) {
        let start = position
        marks.end()
        while true {
            switch byte {
            case UInt8(ascii: "\""):
                let length = UInt32(position - start)
                tape.nodes.append(.init(kind: kind, start: UInt32(start), length: length, link: link))
                position += 1
                return
            case UInt8(ascii: "\\"): return try scanMendedText(kind, link: link, from: start)
            default:
                let surplus = try skipCharacters()
                guard surplus == 0 else { return try scanMendedText(kind, link: link, from: start) }
            }
        }
    }

    /// The same from the first escape on, or the first mark that is left out: the text is put together as it is meant, which is
    /// never longer.
    private mutating func scanMendedText(
        _ kind: Tape.Node.Kind, link: UInt32, from start: Int
    ) throws(JSONError) {
        let unescapedStart = tape.unescaped.count
        var plainStart = start
        while true {
            switch byte {
            case UInt8(ascii: "\""):
                tape.unescaped += input[plainStart..<position]
                position += 1
                tape.nodes.append(
                    .init(
                        kind: kind, isUnescaped: true, start: UInt32(unescapedStart),
                        length: UInt32(tape.unescaped.count - unescapedStart), link: link))
                return
            case UInt8(ascii: "\\"):
                if plainStart < position { tape.unescaped += input[plainStart..<position] }
                try scanEscape()
                plainStart = position
            default:
                let surplus = try skipCharacters()
                guard surplus > 0 else { break }
                if plainStart < position { tape.unescaped += input[plainStart..<position] }
                position += surplus
                plainStart = position
            }
        }
    }

    /// Characters that stand for themselves: as many as there are of ASCII, or else one.
    /// - Returns: how many bytes a mark has that is next and to be left out; 0 if there was none.
    private mutating func skipCharacters() throws(JSONError) -> Int {
        let start = position
        position = Self.endOfPlain(in: UnsafeRawBufferPointer(input), from: start)
        guard position == start else {
            marks.end()
            return 0
        }
        let (character, length) = try character()
        guard try takes(character, at: start) else { return length }
        position += length
        return 0
    }

    /// - Returns: false for a mark that is to be left out.
    private mutating func takes(_ character: Unicode.Scalar, at place: Int) throws(JSONError) -> Bool {
        if marks.take(character) { return true }
        guard limits.mendsTexts else { throw .limit("\(MarkRun.longest) combining marks in a row", at: place) }
        return false
    }

    private static func endOfPlain(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var index = start
        while bytes.count - index >= 8, isPlain(bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)) {
            index += 8
        }
        while index < bytes.count, isPlain(bytes[index]) { index += 1 }
        return index
    }

    /// Whether eight bytes are all plain. Of those below 0x80 one is less than n if to subtract n from it borrows into its highest
    /// bit, and is a certain one if it differs from that by less than one. A borrow goes on into the byte above only from one
    /// that is not plain.
    private static func isPlain(_ word: UInt64) -> Bool {
        let each: UInt64 = 0x0101_0101_0101_0101
        let isNot = word | (word &- each &* 0x20) | ((word ^ each &* 0x22) &- each) | ((word ^ each &* 0x5c) &- each)
        return isNot & each &* 0x80 == 0
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        (0x20..<0x80).contains(byte) && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }

    /// The next character, which is not of ASCII, whole in UTF-8 (RFC 3629, section 4).
    private func character() throws(JSONError) -> (character: Unicode.Scalar, length: Int) {
        guard let first = byte else { throw syntax("") }
        guard first >= 0x20 else { throw syntax("a control character that is not escaped") }
        let (length, second): (Int, ClosedRange<UInt8>) =
            switch first {
            case 0xc2...0xdf: (2, 0x80...0xbf)
            case 0xe0: (3, 0xa0...0xbf)
            case 0xed: (3, 0x80...0x9f)
            case 0xe1...0xef: (3, 0x80...0xbf)
            case 0xf0: (4, 0x90...0xbf)
            case 0xf1...0xf3: (4, 0x80...0xbf)
            case 0xf4: (4, 0x80...0x8f)
            default: (0, 0...0)
            }
        let isWhole =
            length > 0 && input.count - position >= length && second.contains(input[position + 1])
            && input[(position + 2)..<(position + length)].allSatisfy { $0 & 0xc0 == 0x80 }
        guard isWhole else { throw syntax("a byte that is not of UTF-8") }
        var code = UInt32(first) & (0x7f >> UInt32(length))
        for index in (position + 1)..<(position + length) { code = code << 6 | UInt32(input[index]) & 0x3f }
        return (Unicode.Scalar(code)!, length)
    }

    private mutating func scanEscape() throws(JSONError) {
        let start = position
        position += 1
        guard let letter = byte else { throw syntax("") }
        let meant: UInt8
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): meant = letter
        case UInt8(ascii: "b"): meant = 0x08
        case UInt8(ascii: "f"): meant = 0x0c
        case UInt8(ascii: "n"): meant = 0x0a
        case UInt8(ascii: "r"): meant = 0x0d
        case UInt8(ascii: "t"): meant = 0x09
        case UInt8(ascii: "u"): return try scanCodeUnits(from: start)
        default: throw .syntax("an unknown escape", at: start)
        }
        tape.unescaped.append(meant)
        marks.end()
        position += 1
    }

    /// `\u` and four digits, or two of them for what lies beyond the basic plane. One half of such a pair alone is no text: it could
    /// be neither stored nor shown as what it was (`JSONLimits.mendsTexts`).
    private mutating func scanCodeUnits(from start: Int) throws(JSONError) {
        var code = UInt32(try scanCodeUnit())
        if code & 0xfc00 == 0xd800, input[position...].starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "u")]) {
            let next = position
            position += 1
            let low = UInt32(try scanCodeUnit())
            // What is no low half stands for itself, and leaves a code that no character has.
            if low & 0xfc00 == 0xdc00 { code = 0x10000 + (code & 0x3ff) << 10 + low & 0x3ff } else { position = next }
        }
        guard let scalar = Unicode.Scalar(code) ?? (limits.mendsTexts ? "\u{fffd}" : nil) else {
            throw .syntax("half of a surrogate pair", at: start)
        }
        if try takes(scalar, at: start) { tape.unescaped += UTF8.encode(scalar)! }
    }

    /// The four digits after `u`, at which it stands.
    private mutating func scanCodeUnit() throws(JSONError) -> UInt16 {
        position += 1
        var unit: UInt16 = 0
        for _ in 0..<4 {
            let digit: UInt8
            switch byte {
            case let byte? where isDigit(byte): digit = byte - UInt8(ascii: "0")
            case let byte? where (0x41...0x46).contains(byte & 0xdf): digit = byte & 0xdf - 0x41 + 10
            default: throw syntax("an escape without its four digits")
            }
            unit = unit << 4 | UInt16(digit)
            position += 1
        }
        return unit
    }
}
