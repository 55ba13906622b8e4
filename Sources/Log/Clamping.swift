/// Arithmetic on numbers that come from outside: records, replies, messages, files. Swift's own stops the process when a
/// result has no room; these stop at the end of the range, which is as wrong as the number was and harms nobody.
extension Int {
    /// The sum, or the end of the range that it would pass.
    public func addingClamped(_ other: Int) -> Int {
        let (sum, hasOverflown) = addingReportingOverflow(other)
        return hasOverflown ? (other < 0 ? .min : .max) : sum
    }

    /// The difference, or the end of the range that it would pass.
    public func subtractingClamped(_ other: Int) -> Int {
        let (difference, hasOverflown) = subtractingReportingOverflow(other)
        return hasOverflown ? (other < 0 ? .max : .min) : difference
    }

    /// The product, or the end of the range that it would pass.
    public func multipliedClamped(by other: Int) -> Int {
        let (product, hasOverflown) = multipliedReportingOverflow(by: other)
        return hasOverflown ? ((self < 0) == (other < 0) ? .max : .min) : product
    }

    /// The whole part of a number, or the end of the range that it lies beyond; 0 for what is no number.
    public init(clamping number: Double) {
        if number.isNaN {
            self = 0
        } else {
            // Beyond the last `Double` that fits on either side.
            self = number >= 0x1p63 ? .max : number <= -0x1p63 ? .min : Int(number)
        }
    }
}
