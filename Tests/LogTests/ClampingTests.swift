import Testing

@testable import Log

@Suite struct ClampingTests {
    @Test(arguments: [
        (1, 2, 3, -1, 2), (.max, 1, .max, .max - 1, .max), (.min, -1, .min, .min + 1, .max),
        (.max, -1, .max - 1, .max, -.max),
        (.min, 1, .min + 1, .min, .min), (.min, .max, -1, .min, .min), (0, .min, .min, .max, 0),
        (-2, .max, .max - 2, .min, .min),
    ])
    func resultsStopAtTheEndOfTheRange(_ left: Int, _ right: Int, sum: Int, difference: Int, product: Int) {
        #expect(left.addingClamped(right) == sum)
        #expect(left.subtractingClamped(right) == difference)
        #expect(left.multipliedClamped(by: right) == product)
    }

    @Test(arguments: [
        (0.0, 0), (1.9, 1), (-1.9, -1), (1e300, .max), (-1e300, .min), (.infinity, .max), (-.infinity, .min), (.nan, 0),
        (0x1p63, .max), (-0x1p63, .min), (0x1.fffffffffffffp62, 9_223_372_036_854_774_784),
    ])
    func aNumberWithAFractionIsAWholeOne(_ number: Double, _ expected: Int) {
        #expect(Int(clamping: number) == expected)
    }

    /// Whatever number a record has, what is written is a time of RFC 3339, whose years have four digits.
    @Test(arguments: [
        (Int.max, "9999-12-31T23:59:59.999Z"), (253_402_300_800_000, "9999-12-31T23:59:59.999Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"), (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1970-01-01T00:00:00.000Z"), (.min, "1970-01-01T00:00:00.000Z"),
        (1_795_864_692_010, "2026-11-28T11:18:12.010Z"),
    ])
    func aTimeStaysATime(_ milliseconds: Int, _ text: String) {
        #expect(Timestamp.withZone(milliseconds) == text)
    }
}
