import Metrics
import TestTurns
import Testing

@testable import Node

@Suite(.takesTurns) struct FreedMemoryTests {
    private static let megabyte = 1 << 20

    /// What a process has in memory at each look, in megabytes; a try leaves `after`.
    /// - Returns: the looks at which it was tried.
    private static func tries(_ memory: inout FreedMemory, at looks: [(before: Int, after: Int)]) -> [Int] {
        looks.enumerated().compactMap { index, look in
            guard memory.isDue(resident: look.before * megabyte) else { return nil }
            memory.note(from: look.before * megabyte, to: look.after * megabyte)
            return index
        }
    }

    @Test func whoDoesNotGrowIsSeldomTried() {
        var memory = FreedMemory()
        let looks = [(50, 50)] + Array(repeating: (61, 50), count: 90)
        // The first look finds that the process has grown from nothing.
        #expect(Self.tries(&memory, at: looks) == [0, 30, 60, 90])
    }

    @Test func whoHasGrownIsTriedForAsLongAsSomethingComesOfIt() {
        var memory = FreedMemory()
        let looks = [(50, 50), (60, 0), (200, 160), (160, 120), (120, 119), (130, 0), (131, 0), (132, 119), (121, 120)]
        #expect(Self.tries(&memory, at: looks) == [0, 2, 3, 4, 7, 8])
    }

    @Test func aLookFindsTheProcess() throws {
        let resident = try #require(ProcessStatistics.residentBytes())
        let all = try #require(ProcessStatistics.read())
        #expect(resident > Self.megabyte && resident < all.virtualBytes)
        // What comes of it depends on what other tests leave.
        var memory = FreedMemory()
        memory.look()
    }
}
