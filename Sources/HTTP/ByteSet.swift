/// A set of ASCII bytes as two 64-bit masks: a membership test is two shifts, and bytes above 127 are never in it.
struct ByteSet: Sendable {
    let low: UInt64
    let high: UInt64

    @inline(__always)
    func contains(_ byte: UInt8) -> Bool {
        switch byte >> 6 {
        case 0: return low >> UInt64(byte) & 1 == 1
        case 1: return high >> UInt64(byte & 63) & 1 == 1
        default: return false
        }
    }

    /// `tchar` of RFC 9110 section 5.6.2: what methods and field names are made of.
    static let token = ByteSet(low: 0x03ff_6cfa_0000_0000, high: 0x57ff_ffff_c7ff_fffe)
    /// `pchar` of RFC 3986 section 3.3 and "/", without "%": what a path may hold besides percent-encoded bytes.
    static let path = ByteSet(low: 0x2fff_ffd2_0000_0000, high: 0x47ff_fffe_87ff_ffff)
    /// Letters, digits and "-._~": the registered names that are taken as a host. Percent-encoding and the sub-delims
    /// that RFC 3986 would also allow have no use in a host name, and servers are known to differ over them.
    static let hostName = ByteSet(low: 0x03ff_6000_0000_0000, high: 0x47ff_fffe_87ff_fffe)
    /// Letters, digits and "._-": what a caller's request id may be made of.
    static let requestIdentifier = ByteSet(low: 0x03ff_6000_0000_0000, high: 0x07ff_fffe_87ff_fffe)
}

enum ASCII {
    static let tab: UInt8 = 0x09
    static let lineFeed: UInt8 = 0x0a
    static let carriageReturn: UInt8 = 0x0d
    static let space: UInt8 = 0x20
    static let percent: UInt8 = 0x25
    static let asterisk: UInt8 = 0x2a
    static let plus: UInt8 = 0x2b
    static let comma: UInt8 = 0x2c
    static let dot: UInt8 = 0x2e
    static let slash: UInt8 = 0x2f
    static let zero: UInt8 = 0x30
    static let colon: UInt8 = 0x3a
    static let semicolon: UInt8 = 0x3b
    static let equals: UInt8 = 0x3d
    static let question: UInt8 = 0x3f
    static let openBracket: UInt8 = 0x5b
    static let closeBracket: UInt8 = 0x5d
    static let delete: UInt8 = 0x7f

    static func isDigit(_ byte: UInt8) -> Bool { byte &- zero < 10 }

    @inline(__always)
    static func lowercased(_ byte: UInt8) -> UInt8 {
        byte &- 0x41 < 26 ? byte | 0x20 : byte
    }

    /// The value of a hexadecimal digit, or nil.
    static func hexadecimalValue(_ byte: UInt8) -> UInt8? {
        if isDigit(byte) { return byte &- zero }
        let letter = (byte | 0x20) &- 0x61
        return letter < 6 ? letter &+ 10 : nil
    }

    /// Whether the bytes equal `text`, which is given in lower case, whatever their own case.
    static func equals(_ bytes: Slice<UnsafeBufferPointer<UInt8>>, lowercase text: StaticString) -> Bool {
        equals(UnsafeBufferPointer(rebasing: bytes), lowercase: text)
    }

    static func equals(_ bytes: UnsafeBufferPointer<UInt8>, lowercase text: StaticString) -> Bool {
        guard bytes.count == text.utf8CodeUnitCount else { return false }
        for index in 0..<bytes.count where lowercased(bytes[index]) != text.utf8Start[index] { return false }
        return true
    }
}

extension [UInt8] {
    mutating func append(_ text: StaticString) {
        append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Appends a number that is not negative, in decimal digits.
    mutating func append(decimal number: Int) {
        var rest = UInt(number)
        if rest < 10 {
            append(ASCII.zero + UInt8(rest))
            return
        }
        let start = count
        while rest > 0 {
            append(ASCII.zero + UInt8(rest % 10))
            rest /= 10
        }
        self[start...].reverse()
    }
}
