import EventLoop
import TestTurns
import Testing

@testable import AttendingBot

@Suite(.takesTurns) struct VoicesTests {
    private static let start = MonotonicTime(nanoseconds: 1_000_000_000)

    private static func at(_ milliseconds: Int) -> MonotonicTime { start.advanced(byMilliseconds: milliseconds) }

    private static func sound(_ track: Int, _ begin: Int = 0, count: Int = 1_600) -> HeardSound {
        .sound(track: track, begin: begin, start: 2e9, samples: [Int16](repeating: 1, count: count))
    }

    @Test func tracksOfTwoDocumentsAreTwoVoices() {
        var voices = Voices()
        #expect(voices.take(Self.sound(7_000_001), now: Self.at(0)) == [Self.sound(1)])
        #expect(voices.take(Self.sound(8_000_001), now: Self.at(0)) == [Self.sound(2)])
        #expect(voices.take(Self.sound(7_000_001, 1_600), now: Self.at(100)) == [Self.sound(1, 1_600)])
        #expect(
            voices.take(.name(track: 8_000_001, name: "Ana", weight: 1), now: Self.at(100)) == [
                .name(track: 2, name: "Ana", weight: 1)
            ])
    }

    @Test func aDocumentThatIsGoneHasNoVoicesAnyMore() {
        var voices = Voices()
        _ = voices.take(Self.sound(7_000_001), now: Self.at(0))
        #expect(voices.take(Self.sound(8_000_001), now: Self.at(9_000)) == [Self.sound(2)])
        #expect(
            voices.take(Self.sound(8_000_001, 1_600), now: Self.at(10_001)) == [.end(track: 1), Self.sound(2, 1_600)])
        // Should it come back, it is another.
        #expect(voices.take(Self.sound(7_000_001, 1_600), now: Self.at(10_002)) == [Self.sound(3, 1_600)])
    }

    /// As of a track of which nothing came for so long that its voice has ended: its name says nothing of its clock.
    @Test func aNameDoesNotBeginAVoice() {
        var voices = Voices()
        let begin = 3_600 * 16_000
        #expect(voices.take(.name(track: 9, name: "Ana", weight: 1), now: Self.at(0)) == [])
        #expect(voices.take(.end(track: 9), now: Self.at(0)) == [])
        #expect(voices.take(Self.sound(9, begin), now: Self.at(0)) == [Self.sound(1, begin)])
        #expect(
            voices.take(.name(track: 9, name: "Ana", weight: 1), now: Self.at(0)) == [
                .name(track: 1, name: "Ana", weight: 1)
            ])
    }

    @Test func oneThatEndsMakesRoomForAnother() {
        var voices = Voices()
        for track in 1...Voices.maximumAtOnce { #expect(voices.take(Self.sound(track), now: Self.at(0)).count == 1) }
        #expect(voices.take(Self.sound(1_000), now: Self.at(1)) == [])
        #expect(voices.take(.end(track: 5), now: Self.at(2)) == [.end(track: 5)])
        #expect(voices.take(Self.sound(1_000), now: Self.at(3)) == [Self.sound(Voices.maximumAtOnce + 1)])
    }

    @Test func soundThatComesFasterThanItIsSpokenIsNone() {
        var voices = Voices()
        // It may have begun long before.
        let begin = 3_600 * 16_000
        #expect(voices.take(Self.sound(1, begin), now: Self.at(0)).count == 1)
        #expect(voices.take(Self.sound(1, begin + 158_400), now: Self.at(0)).count == 1)
        #expect(voices.take(Self.sound(1, begin + 160_000), now: Self.at(0)) == [])
        #expect(voices.take(.silence(track: 1, begin: begin + 1_000_000, start: 2e9), now: Self.at(0)) == [])
        #expect(voices.take(Self.sound(1, begin + 160_000), now: Self.at(100)).count == 1)
    }
}
