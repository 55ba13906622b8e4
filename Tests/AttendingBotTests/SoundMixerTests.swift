import TestTurns
import Testing

@testable import AttendingBot

@Suite(.takesTurns) struct SoundMixerTests {
    private static func piece(_ value: Int16, _ count: Int = 1_600) -> [Int16] {
        [Int16](repeating: value, count: count)
    }

    @Test func voicesAreAddedUpEachAtItsPlace() {
        var mixer = SoundMixer(start: 1_000)
        // Ana begins with the mix, Ben a tenth of a second later, by the clocks of their own.
        mixer.add(Self.piece(100, 3_200), of: 1, at: 0, trackStart: 1_000)
        mixer.add(Self.piece(10), of: 2, at: 16_000, trackStart: 999.1)
        #expect(mixer.take(until: 1_600) == Self.piece(100))
        #expect(mixer.take(until: 4_800) == Self.piece(110) + Self.piece(0))
        #expect(mixer.position == 4_800)
    }

    @Test func tooLoudASumIsCutAtTheEnds() {
        var mixer = SoundMixer(start: 0)
        for voice in 1...3 {
            mixer.add([.max, .min, 1], of: voice, at: 0, trackStart: 0)
        }
        #expect(mixer.take(until: 3) == [.max, .min, 3])
    }

    /// The page finds out better and better when a track began; what goes on must not be torn by that.
    @Test func whatFollowsOnIsNotTorn() {
        var mixer = SoundMixer(start: 1_000)
        mixer.add(Self.piece(1), of: 1, at: 0, trackStart: 1_000.05)
        mixer.add(Self.piece(2), of: 1, at: 1_600, trackStart: 1_000)
        // After a pause it counts.
        mixer.add(Self.piece(3), of: 1, at: 16_000, trackStart: 1_000)
        #expect(mixer.take(until: 800) == Self.piece(0, 800))
        #expect(mixer.take(until: 4_000) == Self.piece(1) + Self.piece(2))
        #expect(mixer.take(until: 17_600) == Self.piece(0, 12_000) + Self.piece(3))
    }

    @Test func whatComesTooLateIsLeftOutAndNoPlaceIsTooFar() {
        var mixer = SoundMixer(start: 1_000)
        #expect(mixer.take(until: 1_600) == Self.piece(0))
        mixer.add(Self.piece(5), of: 1, at: 0, trackStart: 1_000.05)
        #expect(mixer.take(until: 3_200) == Self.piece(5, 800) + Self.piece(0, 800))
        for (begin, start) in [(0, 1e11), (604_800 * 16_000, 1e11), (0, 1e9), (0, 1_013)] {
            mixer.add(Self.piece(7), of: 2, at: begin, trackStart: start)
        }
        #expect(mixer.take(until: 20 * 16_000).allSatisfy { $0 == 0 })
        #expect(mixer.droppedSamples == 4 * 1_600)
        // It goes on.
        mixer.add(Self.piece(9), of: 2, at: 20 * 16_000, trackStart: 1_000)
        #expect(mixer.take(until: 20 * 16_000 + 1_600) == Self.piece(9))
    }

    /// As when the clock was set between the page's loading and the mix's beginning.
    @Test func soundOfAnotherTimeIsCounted() {
        var mixer = SoundMixer(start: 1_000)
        // What was on its way as the mix began is no part of it.
        mixer.add(Self.piece(1), of: 1, at: 0, trackStart: 999)
        #expect(mixer.droppedSamples == 0)
        for second in 0..<3 { mixer.add(Self.piece(1), of: 2, at: second * 16_000, trackStart: 900) }
        #expect(mixer.droppedSamples == 3 * 1_600 && mixer.take(until: 1_600) == Self.piece(0))
    }
}
