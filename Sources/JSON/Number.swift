/// A number as it is written (RFC 8259, section 6; the scanner has seen to that), which may be more exact, larger or
/// smaller than what a type of Swift can hold.
struct Number {
    let text: UnsafeRawBufferPointer

    /// Nil for what is too large for a double. Otherwise the nearest one.
    var double: Double? {
        guard let double = Double(String(decoding: text, as: UTF8.self)), double.isFinite else { return nil }
        return double
    }

    /// The integer that is exactly this number, however it is written: `1`, `1.0`, `10e-1`. Nil if there is none, or it
    /// does not fit.
    var integer: Int? {
        var isNegative = false
        var isFraction = false
        var isExponent = false
        var isExponentNegative = false
        var digits: [UInt8] = []
        // How many of the digits stand behind the point.
        var fraction = 0
        var exponent = 0
        for byte in text {
            switch byte {
            case UInt8(ascii: "-") where isExponent: isExponentNegative = true
            case UInt8(ascii: "-"): isNegative = true
            case UInt8(ascii: "+"): break
            case UInt8(ascii: "."): isFraction = true
            case _ where byte | 0x20 == UInt8(ascii: "e"): isExponent = true
            case _ where isExponent:
                // Beyond that, only a zero is still an integer.
                exponent = min(10_000, exponent * 10 + Int(byte - UInt8(ascii: "0")))
            default:
                digits.append(byte - UInt8(ascii: "0"))
                if isFraction { fraction += 1 }
            }
        }
        var scale = (isExponentNegative ? -exponent : exponent) - fraction
        while scale < 0, digits.last == 0 {
            digits.removeLast()
            scale += 1
        }
        guard digits.contains(where: { $0 != 0 }) else { return 0 }
        guard (0...19).contains(scale) else { return nil }
        digits += repeatElement(0, count: scale)
        // Towards the sign, so that the smallest one fits too.
        var integer = 0
        for digit in digits {
            let (shifted, isTooLarge) = integer.multipliedReportingOverflow(by: 10)
            let (sum, overflows) =
                isNegative
                ? shifted.subtractingReportingOverflow(Int(digit)) : shifted.addingReportingOverflow(Int(digit))
            if isTooLarge || overflows { return nil }
            integer = sum
        }
        return integer
    }
}
